//! Routes as they are declared: none without the permission it asks for.

use axum::middleware::from_fn_with_state;
use utoipa::openapi::RefOr;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::api::Api;
use crate::api::access::guard;
use crate::api::query::{Keys, known};
use crate::model::Permission;

/// The name of the way to show a token, in the `OpenAPI` document.
pub(super) const BEARER: &str = "token";

/// Routes under way: the router with its document, and the paths.
pub(super) struct Routes {
    api: Api,
    router: OpenApiRouter<Api>,
    paths: Vec<String>,
}

impl Routes {
    pub(super) fn new(api: Api, document: utoipa::openapi::OpenApi) -> Self {
        Self { api, router: OpenApiRouter::with_openapi(document), paths: Vec::new() }
    }

    /// Routes that ask for a permission.
    pub(super) fn needs(self, permission: Permission, routes: UtoipaMethodRouter<Api>) -> Self {
        let (routes, keys) = declared(routes, Some(permission));
        let (schemas, paths, methods) = routes;
        let layer = from_fn_with_state((self.api.clone(), permission, keys), guard);
        self.add((schemas, paths, methods.route_layer(layer)))
    }

    /// Routes that are for everybody, also from elsewhere: they say nothing about what is watched.
    pub(super) fn open(self, routes: UtoipaMethodRouter<Api>) -> Self {
        let (routes, keys) = declared(routes, None);
        let (schemas, paths, methods) = routes;
        self.add((schemas, paths, methods.route_layer(from_fn_with_state(keys, known))))
    }

    fn add(mut self, routes: UtoipaMethodRouter<Api>) -> Self {
        self.paths.extend(routes.1.paths.keys().cloned());
        self.router = self.router.routes(routes);
        self
    }

    /// The router, and the paths it knows.
    pub(super) fn done(mut self) -> (OpenApiRouter<Api>, Vec<String>) {
        self.paths.sort();
        self.paths.dedup();
        (self.router, self.paths)
    }
}

/// Routes of one path, with what they ask for in the document, and the keys that their queries may have.
fn declared(
    (schemas, mut paths, methods): UtoipaMethodRouter<Api>,
    permission: Option<Permission>,
) -> (UtoipaMethodRouter<Api>, Keys) {
    let mut keys = Keys::default();
    for (path, item) in &mut paths.paths {
        declare(path, item, permission);
        keys = Keys::of(path, item);
    }
    ((schemas, paths, methods), keys)
}

/// Says in the document what the routes of a path ask for, and what every change takes.
fn declare(path: &str, item: &mut PathItem, permission: Option<Permission>) {
    let changes = permission.is_some_and(|permission| !Permission::READS.contains(&permission));
    let all = [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("delete", &mut item.delete),
        ("patch", &mut item.patch),
        ("options", &mut item.options),
    ];
    for (method, operation) in all {
        let Some(operation) = operation else { continue };
        operation.operation_id = Some(name(method, path));
        let word = permission.map_or("none", Permission::word);
        operation.extensions = Some(ExtensionsBuilder::new().add("x-permission", word).build());
        if permission.is_some() {
            operation.security = Some(vec![SecurityRequirement::new(BEARER, std::iter::empty::<String>())]);
        }
        if changes && method != "get" {
            operation.parameters.get_or_insert_default().extend(of_every_change().map(RefOr::T));
        }
    }
}

/// A name of its own for each operation: `post_api_health_restart`.
fn name(method: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let named = words.fold(method.to_owned(), |name, word| format!("{name}_{word}"));
    if path.ends_with('/') { format!("{named}_root") } else { named }
}

/// What every change takes besides.
fn of_every_change() -> [Parameter; 2] {
    [
        ParameterBuilder::new()
            .name("dry_run")
            .parameter_in(ParameterIn::Query)
            .description(Some("`true`: only say what would become of it"))
            .schema(Some(ObjectBuilder::new().schema_type(Type::Boolean).build()))
            .build(),
        ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .description(Some(
                "A key of the caller's own: the same request with it is answered again, and not made again",
            ))
            .schema(Some(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .min_length(Some(1))
                    .max_length(Some(255))
                    .build(),
            ))
            .build(),
    ]
}
