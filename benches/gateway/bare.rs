//! Variant (a): actix-web with one handler that returns a constant answer, as the upper bound.

use actix_web::{App, HttpResponse, HttpServer, web};

use crate::protocol;

/// Serves until SIGTERM.
pub(crate) fn serve() -> std::io::Result<()> {
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(|| App::new().route("/gateway", web::get().to(answer)))
            .bind(("127.0.0.1", 0))?;
        eprintln!("listening on {}", server.addrs()[0]);
        server.run().await
    })
}

/// The answer, of the same length as one to `total`.
pub(crate) fn body() -> Vec<u8> {
    protocol::total_answer(10_000)
}

async fn answer() -> HttpResponse {
    thread_local! {
        static BODY: web::Bytes = web::Bytes::from(body());
    }
    HttpResponse::Ok()
        .content_type(protocol::CONTENT_TYPE)
        .body(BODY.with(web::Bytes::clone))
}
