//! One path and its methods. What actix leaves bare is added here: `HEAD` wherever
//! there is `GET`, and a 405 that says which methods there are.

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::guard::Guard;
use actix_web::{FromRequest, Handler, Resource, Responder, ResponseError, web};

use super::problem::Problem;

/// A path under construction; add methods, then hand it to `ServiceConfig::service`.
pub struct On {
    resource: Resource,
    methods: Vec<&'static str>,
}

/// Begins a path.
pub fn on(path: &str) -> On {
    On { resource: web::resource(path), methods: Vec::new() }
}

macro_rules! methods {
    ($($(#[$doc:meta])* $method:ident $name:literal)+) => {$(
        $(#[$doc])*
        pub fn $method<F, Args>(mut self, handler: F) -> On
        where
            F: Handler<Args>,
            Args: FromRequest + 'static,
            F::Output: Responder + 'static,
        {
            self.methods.push($name);
            self.resource = self.resource.route(web::$method().to(handler));
            self
        }
    )+};
}

impl On {
    methods! {
        /// Creates or acts.
        post "POST"
        /// Puts in place, whole.
        put "PUT"
        /// Changes in part.
        patch "PATCH"
        /// Takes away.
        delete "DELETE"
        /// The head of what `get` answers.
        head "HEAD"
    }

    /// There only where `guard` holds; elsewhere the path does not exist.
    pub fn guarded(mut self, guard: impl Guard + 'static) -> On {
        self.resource = self.resource.guard(guard);
        self
    }

    /// Reads.
    pub fn get<F, Args>(mut self, handler: F) -> On
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.push("GET");
        self.resource = self.resource.route(web::get().to(handler.clone()));
        self.head(handler)
    }
}

impl HttpServiceFactory for On {
    fn register(self, config: &mut AppService) {
        let allow = self.methods.join(", ");
        let otherwise = move || {
            let answer = Problem::method_not_allowed(&allow).error_response();
            async move { answer }
        };
        self.resource.default_service(web::to(otherwise)).register(config);
    }
}
