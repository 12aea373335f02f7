//! Routes as they are declared: none without the permission it asks for.

use axum::middleware::from_fn_with_state;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::SecurityRequirement;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::api::Api;
use crate::api::access::guard;
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
        let (schemas, paths, methods) = routes;
        let layer = from_fn_with_state((self.api.clone(), permission), guard);
        self.add(Some(permission), (schemas, paths, methods.route_layer(layer)))
    }

    /// Routes that are for everybody, also from elsewhere: they say nothing about what is watched.
    pub(super) fn open(self, routes: UtoipaMethodRouter<Api>) -> Self {
        self.add(None, routes)
    }

    fn add(mut self, permission: Option<Permission>, routes: UtoipaMethodRouter<Api>) -> Self {
        let (schemas, mut paths, methods) = routes;
        for (path, item) in &mut paths.paths {
            operations(item).for_each(|operation| declare(operation, permission));
            self.paths.push(path.clone());
        }
        self.router = self.router.routes((schemas, paths, methods));
        self
    }

    /// The router, and the paths it knows.
    pub(super) fn done(mut self) -> (OpenApiRouter<Api>, Vec<String>) {
        self.paths.sort();
        self.paths.dedup();
        (self.router, self.paths)
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch];
    all.into_iter().filter_map(Option::as_mut)
}

/// Says in the document what the route asks for.
fn declare(operation: &mut Operation, permission: Option<Permission>) {
    let word = permission.map_or("none", Permission::word);
    operation.extensions = Some(ExtensionsBuilder::new().add("x-permission", word).build());
    if permission.is_some() {
        operation.security = Some(vec![SecurityRequirement::new(BEARER, std::iter::empty::<String>())]);
    }
}
