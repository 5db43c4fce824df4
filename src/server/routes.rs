//! The paths that the server serves, and what each is for.

use std::sync::Arc;

use actix_web::http::Method;
use percent_encoding::percent_decode_str;

use crate::gateway::endpoint::{Handler, Route};

/// All served paths.
pub struct Routes(Vec<ServedRoute>);

/// A path with what answers it.
pub struct ServedRoute {
    /// The path and its HTTP methods.
    pub route: Route,
    /// The endpoint or the page.
    pub target: Target,
}

/// What answers a path.
#[derive(Clone)]
pub enum Target {
    /// An endpoint, with its name.
    Endpoint(&'static str, Arc<dyn Handler>),
    /// A page of the server itself.
    Page(ServerPage),
}

/// The pages of the server itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerPage {
    /// `/healthz`: whether the program runs.
    Health,
    /// `/readyz`: whether it can answer.
    Ready,
    /// `/metrics`.
    Metrics,
    /// `/.well-known/pointgate/checkpoint`: the last checkpoint.
    Checkpoint,
}

const PAGES: [(&str, ServerPage); 4] = [
    ("/healthz", ServerPage::Health),
    ("/readyz", ServerPage::Ready),
    ("/metrics", ServerPage::Metrics),
    ("/.well-known/pointgate/checkpoint", ServerPage::Checkpoint),
];

impl Routes {
    /// Serves these endpoints and the server's own pages.
    pub fn new(endpoints: impl IntoIterator<Item = ServedRoute>) -> Routes {
        let pages = PAGES.into_iter().map(|(path, page)| ServedRoute {
            route: Route {
                path,
                methods: &["GET"],
            },
            target: Target::Page(page),
        });
        Routes(endpoints.into_iter().chain(pages).collect())
    }

    /// The route of a path. Repeated slashes count as one, a slash at the end as none.
    pub fn find(&self, path: &str) -> Option<&ServedRoute> {
        let exact = self.0.iter().find(|it| it.route.path == path);
        exact.or_else(|| {
            let path = percent_decode_str(path).decode_utf8().ok()?;
            let same = |it: &&ServedRoute| segments(it.route.path).eq(segments(&path));
            self.0.iter().find(same)
        })
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

impl ServedRoute {
    /// Whether the path has this HTTP method.
    pub fn serves(&self, method: &Method) -> bool {
        let method = match *method {
            Method::HEAD => Method::GET.as_str(),
            ref method => method.as_str(),
        };
        self.route.methods.contains(&method)
    }

    /// The value of the header `Allow`.
    pub fn allow(&self) -> String {
        let mut allowed = self.route.methods.to_vec();
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        allowed.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_do_not_matter() {
        let routes = Routes::new([]);
        for (path, page) in [
            ("/healthz", Some(ServerPage::Health)),
            ("/healthz/", Some(ServerPage::Health)),
            ("//healthz", Some(ServerPage::Health)),
            ("///readyz///", Some(ServerPage::Ready)),
            ("/%6detrics%2F", Some(ServerPage::Metrics)),
            ("/", None),
            ("", None),
            ("/healthz/x", None),
            ("/Healthz", None),
            ("/health/z", None),
            ("/%FF", None),
        ] {
            let found = routes.find(path).map(|it| match it.target {
                Target::Page(page) => page,
                Target::Endpoint(..) => panic!("no endpoint is served"),
            });
            assert_eq!(found, page, "{path}");
        }
    }
}
