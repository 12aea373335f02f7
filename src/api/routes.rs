//! Routes as they are declared: none without the permission it asks for.
//!
//! What the document tells of a route is made when somebody asks for it: made at the start it was four times the memory that
//! everything else takes at rest.

use std::collections::BTreeMap;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem, Paths};
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{OpenApi, Ref, RefOr};

use crate::api::Api;
use crate::api::access::guard;
use crate::api::query::{DRY_RUN, Keys, known};
use crate::model::Permission;

/// The name of the way to show a token, in the `OpenAPI` document.
pub(super) const BEARER: &str = "token";

/// A route as its handler declares it.
pub(super) struct Route {
    pub(super) path: String,
    pub(super) handlers: MethodRouter<Api>,
    /// What the document tells of the handler alone.
    pub(super) operation: fn() -> Operation,
    /// The same at its path, with the shapes of its bodies.
    pub(super) told: fn() -> Told,
}

/// What the document tells of a route.
pub(super) type Told = (Vec<(String, RefOr<Schema>)>, Paths);

/// A route, from the name of its handler.
macro_rules! route {
    ($($handler:tt)+) => {
        $crate::api::routes::Route {
            path: utoipa_axum::routes!(@path [path()] of $($handler)+),
            handlers: utoipa_axum::routes!(@path [methods()] of $($handler)+)
                .iter()
                .fold(axum::routing::MethodRouter::new(), |router, method| {
                    router.on(utoipa_axum::PathItemExt::to_method_filter(method), $($handler)+)
                }),
            operation: || utoipa_axum::routes!(@path [operation()] of $($handler)+),
            told: || {
                let (schemas, paths, _): utoipa_axum::router::UtoipaMethodRouter<$crate::api::Api> =
                    utoipa_axum::routes!($($handler)+);
                (schemas, paths)
            },
        }
    };
}
pub(super) use route;

/// Routes under way: the router, and what they ask for.
pub(super) struct Routes {
    api: Api,
    router: Router<Api>,
    declared: Vec<Declared>,
}

/// A route that the router has.
pub(super) struct Declared {
    pub(super) path: String,
    permission: Option<Permission>,
    told: fn() -> Told,
}

impl Routes {
    pub(super) fn new(api: Api) -> Self {
        Self { api, router: Router::new(), declared: Vec::new() }
    }

    /// A route that asks for a permission.
    pub(super) fn needs(self, permission: Permission, route: Route) -> Self {
        let keys = Keys::of(&route.path, route.operation, changes(Some(permission)));
        let layer = from_fn_with_state((self.api.clone(), permission, keys), guard);
        self.add(Some(permission), Route { handlers: route.handlers.route_layer(layer), ..route })
    }

    /// The same for whatever method there is, also one that no document has a word for.
    pub(super) fn needs_by_any<H: Handler<T, Api>, T: 'static>(
        self,
        permission: Permission,
        route: Route,
        any: H,
    ) -> Self {
        let keys = Keys::of(&route.path, route.operation, changes(Some(permission)));
        let layer = from_fn_with_state((self.api.clone(), permission, keys), guard);
        self.add(Some(permission), Route { handlers: route.handlers.fallback(any).layer(layer), ..route })
    }

    /// A route that is for everybody, also from elsewhere: it says nothing about what is watched.
    pub(super) fn open(self, route: Route) -> Self {
        let layer = from_fn_with_state(Keys::of(&route.path, route.operation, false), known);
        self.add(None, Route { handlers: route.handlers.route_layer(layer), ..route })
    }

    fn add(mut self, permission: Option<Permission>, route: Route) -> Self {
        self.router = self.router.route(&route.path, route.handlers);
        self.declared.push(Declared { path: route.path, permission, told: route.told });
        self
    }

    /// The router, and what it has.
    pub(super) fn done(self) -> (Router<Api>, Vec<Declared>) {
        (self.router, self.declared)
    }
}

/// The document with its routes.
pub(super) fn documented(mut document: OpenApi, all: &[Declared]) -> OpenApi {
    document.components.get_or_insert_default().headers = headers();
    for Declared { permission, told, .. } in all {
        let (schemas, paths) = told();
        for (path, mut item) in paths.paths {
            declare(&path, &mut item, *permission);
            // axum's sign for the rest of a path: the document has no word for it.
            let path = path.replace("{*", "{");
            match document.paths.paths.get_mut(&path) {
                Some(known) => known.merge_operations(item),
                None => drop(document.paths.paths.insert(path, item)),
            }
        }
        document.components.get_or_insert_default().schemas.extend(schemas);
    }
    document
}

/// Is it for whoever wants to change something?
fn changes(permission: Option<Permission>) -> bool {
    permission.is_some_and(|permission| !Permission::READS.contains(&permission))
}

/// Says in the document what the routes of a path ask for, and what every change takes.
fn declare(path: &str, item: &mut PathItem, permission: Option<Permission>) {
    let changes = changes(permission);
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
        dress(operation);
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

/// What every answer says of itself, whatever it is: each header with what it says.
const OF_EVERY_ANSWER: [(&str, &str); 2] = [
    ("Cache-Control", "`no-store`, of a stream `no-cache`: an answer is of its moment"),
    ("X-Content-Type-Options", "`nosniff`: it is exactly what it claims to be"),
];

/// The same in one place of the document, to which each answer refers.
fn headers() -> BTreeMap<String, RefOr<Header>> {
    let told = OF_EVERY_ANSWER.map(|(name, says)| {
        let header =
            HeaderBuilder::new().schema(Some(Object::with_type(Type::String))).description(Some(says));
        (name.to_owned(), RefOr::T(header.build()))
    });
    told.into()
}

fn dress(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        for (name, _) in OF_EVERY_ANSWER {
            let place = Ref::new(format!("#/components/headers/{name}"));
            response.headers.insert(name.to_owned(), RefOr::Ref(place));
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
            .name(DRY_RUN)
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
