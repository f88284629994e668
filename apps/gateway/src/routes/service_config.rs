//! Where the routes are listed: once, for the workers that serve them and for the document.

use actix_web::dev::HttpServiceFactory;
use actix_web::web;
use utoipa::openapi::{Components, HttpMethod, OpenApi};
use utoipa_actix_web::OpenApiFactory;

/// What the lists of routes are read into. A worker takes the handlers only: describing all
/// operations takes 8 MB, which an allocator is slow to give back.
pub enum ServiceConfig<'a> {
    /// Handlers, for a worker.
    Handlers(&'a mut web::ServiceConfig),
    /// Operations and their schemas, for the document.
    Document(&'a mut OpenApi),
    /// Each path with its methods.
    Paths(&'a mut Vec<(String, Vec<HttpMethod>)>),
}

impl ServiceConfig<'_> {
    /// Takes in the operation `factory`.
    pub fn service<F>(&mut self, factory: F) -> &mut Self
    where
        F: HttpServiceFactory + OpenApiFactory + utoipa::Path + 'static,
    {
        match self {
            Self::Handlers(config) => {
                config.service(factory);
            }
            Self::Document(document) => {
                document.paths.merge(factory.paths());
                let mut schemas = Vec::new();
                factory.schemas(&mut schemas);
                let components = document.components.get_or_insert_with(Components::new);
                components.schemas.extend(schemas);
            }
            Self::Paths(paths) => paths.push((F::path(), F::methods())),
        }
        self
    }

    /// Takes in the operations of `list`.
    pub fn configure(&mut self, list: fn(&mut ServiceConfig<'_>)) -> &mut Self {
        list(self);
        self
    }
}
