//! The router and the document: both are what the contract says, and both say the same (trap P6).

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::Method;
use serde_json::{Value, json};

use super::shop::{Shop, request, status};
use crate::answer::error_codes::Code;
use crate::openapi::document;
use crate::openapi::endpoint::Content;
use crate::routes::endpoints;

/// The routes that callers are promised.
const CONTRACT: [&str; 29] = [
    "DELETE /api/v1/queue/tokens/me",
    "DELETE /api/v1/reservations/{id}",
    "GET /api/v1/admin/queues/{queue}",
    "GET /api/v1/concerts",
    "GET /api/v1/concerts/{id}/schedules",
    "GET /api/v1/me/entries",
    "GET /api/v1/me/payments",
    "GET /api/v1/me/reservations",
    "GET /api/v1/me/wallet",
    "GET /api/v1/payments",
    "GET /api/v1/payments/{id}",
    "GET /api/v1/queue/tokens/me",
    "GET /api/v1/reservations",
    "GET /api/v1/reservations/{id}",
    "GET /api/v1/schedules",
    "GET /api/v1/schedules/{id}/seats",
    "GET /api/v1/wallet",
    "GET /api/v1/wallet/entries",
    "GET /healthz",
    "GET /metrics",
    "GET /openapi.json",
    "GET /readyz",
    "PATCH /api/v1/admin/queues/{queue}",
    "POST /api/v1/admin/concerts",
    "POST /api/v1/admin/queues",
    "POST /api/v1/payments",
    "POST /api/v1/queue/tokens",
    "POST /api/v1/reservations",
    "POST /api/v1/wallet/charges",
];

fn document() -> Value {
    serde_json::from_str(&document::text(&endpoints())).unwrap()
}

/// `METHOD /path` of every operation of the document.
fn documented(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| -> Vec<String> {
        item.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())).collect()
    };
    paths.iter().flat_map(of_path).collect()
}

#[actix_web::test]
async fn the_document_is_the_contract_and_the_router_answers_it() {
    let document = document();
    let expected: BTreeSet<String> = CONTRACT.iter().map(|&line| line.to_owned()).collect();
    assert_eq!(documented(&document), expected);
    let shop = Shop::new().await;
    assert_eq!(shop.get("/openapi.json", "").await.expect(200).json(), document);
    for line in &expected {
        let (method, path) = line.split_once(' ').unwrap();
        let operation = &document["paths"][path][method.to_lowercase()];
        let path = path
            .replace("{id}", "0193a5b2-7c00-7000-8000-000000000001")
            .replace("{queue}", "main")
            .replace("{file}", "");
        let reply = shop.call(method, &path, "").await;
        assert_ne!(reply.status, 405, "{line}");
        // What is answered is documented, with a code that is documented too.
        let responses = operation["responses"].as_object().unwrap();
        let response = responses.get(&reply.status.to_string()).unwrap_or_else(|| panic!("{line} {}", reply.status));
        if reply.status >= 400 {
            let examples = response["content"]["application/problem+json"]["examples"].as_object().unwrap();
            assert!(examples.contains_key(&reply.code()), "{line} {}", reply.code());
        }
    }
}

/// P6: each path is answered by its own route and by no other, whatever stands in its variables.
#[test]
fn no_two_routes_clash() {
    let endpoints = endpoints();
    let defined: Vec<_> =
        endpoints.iter().map(|endpoint| (endpoint, actix_web::dev::ResourceDef::new(endpoint.path))).collect();
    let mut seen = BTreeSet::new();
    for (endpoint, _) in &defined {
        assert!(seen.insert((endpoint.method.as_str().to_owned(), endpoint.path)), "twice: {}", endpoint.path);
        for word in ["x", "me", "0193a5b2-7c00-7000-8000-000000000001"] {
            let path = endpoint.path.replace("{id}", word).replace("{queue}", word).replace("{file:.*}", word);
            let answering: BTreeSet<_> =
                defined.iter().filter(|(_, def)| def.is_match(&path)).map(|(other, _)| other.path).collect();
            assert_eq!(answering, BTreeSet::from([endpoint.path]), "{path}");
        }
    }
    assert!(endpoints.iter().all(|endpoint| endpoint.method != Method::HEAD));
}

#[test]
fn names_are_given_once_and_every_code_is_documented_somewhere() {
    let document = document();
    let operations: Vec<&Value> =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values()).collect();
    let names: BTreeSet<_> = operations.iter().map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), operations.len());
    let text = document["paths"].to_string();
    for code in Code::ALL.iter().filter(|code| **code != Code::MethodNotAllowed) {
        assert!(text.contains(&format!("\"code\":\"{}\"", code.as_str())), "{}", code.as_str());
    }
    for operation in operations {
        // What the parser answers itself is no document.
        for (number, response) in
            operation["responses"].as_object().unwrap().iter().filter(|(number, _)| *number != "431")
        {
            let refused = status(number.parse().unwrap()).as_u16() >= 400;
            assert_eq!(response["content"].get("application/problem+json").is_some(), refused, "{operation}");
        }
    }
}

/// Every `$ref` leads somewhere, and no schema is there for nothing.
#[test]
fn references_and_schemas_match() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    found.insert(reference.clone());
                }
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let defined: BTreeSet<_> = schemas.keys().map(|name| format!("#/components/schemas/{name}")).collect();
    assert_eq!(found, defined);
}

/// A schema's name stands for one schema: two types of one name would hide one another.
#[test]
fn no_two_schemas_share_a_name() {
    let mut named: BTreeMap<String, Value> = BTreeMap::new();
    let mut name = |name: String, schema: Value| {
        let known = named.entry(name.clone()).or_insert_with(|| schema.clone());
        assert_eq!(*known, schema, "two schemas are called {name}");
    };
    for endpoint in endpoints() {
        let answered = endpoint.successes.into_iter().filter_map(|success| match success.content {
            Content::One(shape, _) | Content::Page(shape, _) => Some(shape),
            Content::Empty | Content::Other(_) => None,
        });
        for shape in answered.chain(endpoint.body.map(|(shape, _)| shape)) {
            name(shape.name, json!(shape.schema));
            shape.parts.into_iter().for_each(|(part, schema)| name(part, json!(schema)));
        }
    }
}

/// R16: what is said of a wallet's routes, and of no others, holds whichever tokens open wallets.
#[test]
fn wallet_routes_are_documented_for_both_gates_r16() {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let says = operation["description"].as_str().unwrap_or_default();
            let both = says.contains("`ACTIVE` token") && says.contains("a `WAITING` one will do, too");
            assert_eq!(both, path.starts_with("/api/v1/wallet"), "{path}: {says}");
        }
    }
}

/// No change of the contract goes unseen.
#[test]
fn the_document_is_as_it_was_agreed() {
    insta::assert_snapshot!("openapi", document::text(&endpoints()));
}

/// The page works without a network: nothing it loads is elsewhere.
#[actix_web::test]
async fn the_page_loads_from_here_only() {
    let shop = Shop::new().await;
    let entered = shop.get("/docs", "").await.expect(308);
    assert_eq!(entered.header("location"), Some("/docs/"));
    let page = shop.get("/docs/", "").await.expect(200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    let mut loaded = 0;
    for attribute in ["src=\"", "href=\""] {
        for rest in html.split(attribute).skip(1) {
            let name = rest.split('"').next().unwrap();
            assert!(!name.contains("//"), "{name}");
            shop.get(&format!("/docs/{}", name.trim_start_matches("./")), "").await.expect(200);
            loaded += 1;
        }
    }
    assert!(loaded >= 4, "{html}");
    let start = shop.get("/docs/swagger-initializer.js", "").await.expect(200);
    let start = String::from_utf8(start.body.to_vec()).unwrap();
    assert!(start.contains("/openapi.json") && !start.contains("https://"), "{start}");
    assert_eq!(shop.get("/docs/../Cargo.toml", "").await.status, 404);
    assert_eq!(shop.get("/docs/nothing.js", "").await.code(), "not_found");
    let head = shop.send(request("HEAD", "/docs/", "")).await;
    assert_eq!(head.status, 200);
}
