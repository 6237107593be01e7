//! The OpenAPI document, made of the list of endpoints.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContactBuilder, ContentBuilder, HeaderBuilder, HttpMethod, InfoBuilder, LicenseBuilder, OpenApi,
    OpenApiBuilder, PathItem, PathsBuilder, Ref, RefOr, Required, Response, ResponseBuilder, Server, tag::TagBuilder,
};

use crate::answer::dates;
use crate::answer::error_codes::{Code, Language};
use crate::answer::extension::InvalidValue;
use crate::answer::points::Points;
use crate::answer::token_state::TokenState;
use crate::middleware::request_id;
use crate::openapi::endpoint::{Auth, Content, Endpoint, Shape, Success};
use crate::openapi::parameter::Parameter;
use crate::request::idempotency;

const ABOUT: &str = "Sells concert seats fairly when far more people want them than there are. Take a place in line \
    (`POST /api/v1/queue/tokens`), poll it until it is ACTIVE, look at schedules and seats, hold seats for a few \
    minutes, and pay from a prepaid wallet. Errors are problem documents (RFC 9457), in Korean for \
    `Accept-Language: ko`, and `code` tells programs what went wrong.";

/// The chapters of the page with what each is about, in the order in which a client meets them.
const CHAPTERS: [(&str, &str); 8] = [
    ("waiting line", "A place in line: to take one, to ask how far it has come, to give it up."),
    ("concerts and seats", "What is played, when, and which seats there are."),
    ("reservations", "Seats that are held for a few minutes, until they are paid or given up."),
    ("wallet", "A user's prepaid points."),
    ("payments", "Paying for what is held, and the receipts."),
    ("one's own", "What one has, at any time, by the shop's word for who one is."),
    ("admin", "What the operator of a sale does."),
    ("operations", "What whoever runs the servers asks."),
];

/// The document of these endpoints as JSON.
pub(crate) fn text(endpoints: &[Endpoint]) -> String {
    // Nothing in it can fail to be written: its keys are texts.
    document(endpoints).to_pretty_json().unwrap_or_default()
}

/// The document of these endpoints.
pub(crate) fn document(endpoints: &[Endpoint]) -> OpenApi {
    let mut schemas = BTreeMap::new();
    add(&mut schemas, Shape::of::<InvalidValue>());
    add(&mut schemas, Shape::of::<TokenState>());
    add(&mut schemas, Shape::of::<Points>());
    schemas.insert("Problem".to_owned(), problem());
    let mut paths = PathsBuilder::new();
    for endpoint in endpoints.iter().filter(|endpoint| endpoint.documented) {
        let path = endpoint.path.replace(":.*", "");
        paths = paths.path(path, PathItem::new(method(endpoint), operation(endpoint, &mut schemas)));
    }
    let bearer = |says: &str| {
        SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(says)).build())
    };
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme("token", bearer("The queue token of `POST /api/v1/queue/tokens`."))
        .security_scheme("admin", bearer("The operator's key."))
        .security_scheme("identity", bearer("The shop's JWT (HS256, `sub` = `user_id`, `exp`), when it vouches."));
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Usher")
                .version("1")
                .description(Some(ABOUT))
                .contact(Some(ContactBuilder::new().name(Some("Usher")).build()))
                .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build())),
        )
        .servers(Some([Server::new("/")]))
        .paths(paths)
        .components(Some(components.build()))
        .tags(Some(CHAPTERS.map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build())))
        .build()
}

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Adds a schema with all it refers to, and refers to it.
fn add(schemas: &mut Schemas, shape: Shape) -> RefOr<Schema> {
    schemas.extend(shape.parts);
    let reference = Ref::from_schema_name(&shape.name);
    schemas.insert(shape.name, shape.schema);
    RefOr::Ref(reference)
}

/// The document of an error; what it has beside the first six members depends on its code.
fn problem() -> RefOr<Schema> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let whole = || ObjectBuilder::new().schema_type(Type::Integer);
    let list = |of: RefOr<Schema>| ArrayBuilder::new().items(of);
    let points = || RefOr::<Schema>::Ref(Ref::from_schema_name("Points"));
    ObjectBuilder::new()
        .description(Some("A problem document (RFC 9457)."))
        .property("type", text().description(Some("A URI that names the code.")))
        .property("title", text().description(Some("What went wrong, in a few words.")))
        .property("status", whole().description(Some("The HTTP status.")))
        .property("detail", text().description(Some("What went wrong, in a sentence.")))
        .property("instance", text().description(Some("A URI that names the request.")))
        .property("code", text().enum_values(Some(Code::ALL.iter().map(|code| code.as_str()))))
        .property("errors", list(RefOr::Ref(Ref::from_schema_name("InvalidValue"))))
        .property("balance", points())
        .property("amount", points())
        .property("token_status", RefOr::<Schema>::Ref(Ref::from_schema_name("TokenState")))
        .property("selection_ends_at", dates::date_time())
        .property("seat_numbers", list(whole().into()))
        .property("own_seat_numbers", list(whole().into()))
        .property("max_seats", whole())
        .property("max_per_user", whole())
        .property("owned", whole())
        .required("type")
        .required("title")
        .required("status")
        .required("detail")
        .required("instance")
        .required("code")
        .into()
}

fn method(endpoint: &Endpoint) -> HttpMethod {
    match endpoint.method.as_str() {
        "POST" => HttpMethod::Post,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// The chapter that an endpoint stands in, by what its path begins with.
fn tag(endpoint: &Endpoint) -> &'static str {
    match endpoint.path.strip_prefix("/api/v1/").and_then(|path| path.split('/').next()) {
        Some("queue") => "waiting line",
        Some("concerts" | "schedules") => "concerts and seats",
        Some("reservations") => "reservations",
        Some("wallet") => "wallet",
        Some("payments") => "payments",
        Some("me") => "one's own",
        Some(_) => "admin",
        None => "operations",
    }
}

fn operation(endpoint: &Endpoint, schemas: &mut Schemas) -> OperationBuilder {
    let mut operation =
        OperationBuilder::new().operation_id(Some(endpoint.name)).summary(Some(endpoint.says)).tag(tag(endpoint));
    for parameter in parameters(endpoint) {
        operation = operation.parameter(parameter);
    }
    let (names, who) = credentials(endpoint.auth);
    let requirements = names.iter().map(|scheme| match scheme {
        Some(name) => SecurityRequirement::new::<_, [&str; 0], &str>(*name, []),
        None => SecurityRequirement::default(),
    });
    let repeated = if endpoint.idempotent { " With an `Idempotency-Key` it is safe to repeat." } else { "" };
    operation = operation.securities(Some(requirements)).description(Some(format!("{who}{repeated}")));
    if let Some((shape, example)) = &endpoint.body {
        let schema = add(schemas, shape.clone());
        let content = ContentBuilder::new().schema(Some(schema)).example(Some(example.clone())).build();
        let body = RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    for success in &endpoint.successes {
        let response = answered(success, endpoint.idempotent, schemas);
        operation = operation.response(success.status.to_string(), response);
    }
    for (status, codes) in by_status(&endpoint.errors()) {
        operation = operation.response(status.to_string(), refused(&codes));
    }
    // By the parser itself, before anything of Usher's looks at a request.
    let too_large =
        ResponseBuilder::new().description("The head of the request is too large. The connection is closed.");
    operation.response("431", too_large.build())
}

/// The names of the schemes of which a caller needs one, where `None` is no credentials, and the same in a sentence.
const fn credentials(auth: Auth) -> (&'static [Option<&'static str>], &'static str) {
    match auth {
        Auth::Open => (&[], "Needs no credentials."),
        // Open mode: anyone may name any user.
        Auth::Identity => (
            &[Some("identity"), None],
            "Where the shop vouches for its people, it needs the shop's word for this very user; elsewhere nothing.",
        ),
        Auth::Person => {
            (&[Some("identity")], "Needs the shop's word for who one is; where no shop vouches, nobody has it.")
        }
        Auth::Token => (&[Some("token")], "Needs a queue token, in any state."),
        Auth::Reader => (&[Some("token")], "Needs a queue token that lives, or that ended less than 24 h ago."),
        Auth::Live => (&[Some("token")], "Needs a queue token that is `WAITING` or `ACTIVE`."),
        Auth::Active => (&[Some("token")], "Needs the queue token of somebody whose turn it is: an `ACTIVE` one."),
        Auth::Wallet => (
            &[Some("token")],
            "Needs an `ACTIVE` token, or one that ended less than 24 h ago. Where the operator lets people top up while they \
             wait, a `WAITING` one will do, too.",
        ),
        Auth::Charging => (
            &[Some("token")],
            "Needs an `ACTIVE` token. Where the operator lets people top up while they wait, a `WAITING` one will do, too.",
        ),
        Auth::Admin => (&[Some("admin")], "Needs the operator's key."),
    }
}

fn parameters(endpoint: &Endpoint) -> Vec<utoipa::openapi::path::Parameter> {
    let mut parameters = Vec::new();
    for name in ["id", "queue", "file"] {
        if endpoint.path.contains(&format!("{{{name}")) {
            let id = ObjectBuilder::new().schema_type(Type::String);
            let id = if name == "id" {
                id.format(Some(utoipa::openapi::SchemaFormat::Custom("uuid".to_owned())))
            } else {
                id
            };
            parameters.push(
                ParameterBuilder::new()
                    .name(name)
                    .parameter_in(ParameterIn::Path)
                    .required(Required::True)
                    .schema(Some(id))
                    .build(),
            );
        }
    }
    for Parameter { name, says, schema } in &endpoint.parameters {
        let parameter = ParameterBuilder::new().name(*name).parameter_in(ParameterIn::Query);
        let described = parameter.required(Required::False).description(Some(*says)).schema(Some(schema()));
        parameters.push(described.build());
    }
    if endpoint.idempotent {
        let says = if endpoint.auth == Auth::Admin {
            "Makes the request safe to repeat: the same key never loads twice, and gives the first answer again."
        } else {
            "Makes the request safe to repeat: for 24 h the same key gives the first answer again, with today's `status`, \
             `cancel_reason` and `server_time` of a reservation."
        };
        let key = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[!-~]{1,128}$"));
        parameters.push(
            ParameterBuilder::new()
                .name(idempotency::HEADER)
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some(says))
                .schema(Some(key))
                .build(),
        );
    }
    parameters
}

fn header(says: &str) -> utoipa::openapi::Header {
    HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))).description(Some(says)).build()
}

fn answered(success: &Success, idempotent: bool, schemas: &mut Schemas) -> Response {
    let mut response = ResponseBuilder::new()
        .description(success.says)
        .header(request_id::HEADER.as_str(), header("The caller's, or one of ours."));
    for (name, says) in &success.headers {
        response = response.header(*name, header(says));
    }
    if idempotent {
        response = response.header(idempotency::REPLAYED, header("`true` when the answer was given before."));
    }
    let content = match &success.content {
        Content::Empty => return response.build(),
        Content::One(shape, example) => (add(schemas, shape.clone()), Some(example.clone())),
        Content::Page(shape, example) => {
            (page(add(schemas, shape.clone())), Some(json!({"items": [example], "next_cursor": null})))
        }
        Content::Other(media_type) => {
            let text = ObjectBuilder::new().schema_type(if *media_type == "application/json" {
                Type::Object
            } else {
                Type::String
            });
            return response.content(*media_type, ContentBuilder::new().schema(Some(text)).build()).build();
        }
    };
    let (schema, example) = content;
    response.content("application/json", ContentBuilder::new().schema(Some(schema)).example(example).build()).build()
}

fn page(item: RefOr<Schema>) -> RefOr<Schema> {
    let cursor = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    ObjectBuilder::new()
        .property("items", ArrayBuilder::new().items(item))
        .property("next_cursor", cursor.description(Some("To ask for the next page with; null on the last one.")))
        .required("items")
        .required("next_cursor")
        .into()
}

fn by_status(codes: &[Code]) -> BTreeMap<u16, Vec<Code>> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status().as_u16()).or_default().push(*code);
    }
    by_status
}

/// The errors of one status.
fn refused(codes: &[Code]) -> Response {
    let lines: Vec<String> =
        codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.detail(Language::English))).collect();
    let examples: Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::example::Example>)> =
        codes.iter().map(|code| (code.as_str().to_owned(), example(*code).into())).collect();
    let content = ContentBuilder::new()
        .schema(Some(RefOr::<Schema>::Ref(Ref::from_schema_name("Problem"))))
        .examples_from_iter(examples);
    let mut response = ResponseBuilder::new()
        .description(lines.join("\n\n"))
        .header(request_id::HEADER.as_str(), header("The caller's, or one of ours."))
        .content("application/problem+json", content.build());
    match codes.first().map(|code| code.status().as_u16()) {
        Some(401) => response = response.header("WWW-Authenticate", header("How to authenticate.")),
        Some(503) => response = response.header("Retry-After", header("When to try again, in seconds.")),
        _ => {}
    }
    response.build()
}

fn example(code: Code) -> utoipa::openapi::example::Example {
    let mut value = json!({
        "type": format!("urn:usher:problem:{}", code.as_str()), "title": code.title(Language::English),
        "status": code.status().as_u16(), "detail": code.detail(Language::English),
        "instance": "urn:usher:request:0193a5b27c0070008000000000000001-1", "code": code.as_str()
    });
    let more = match code {
        Code::ValidationFailed => json!({"errors": [{"field": "amount", "message": "is required"}]}),
        Code::InsufficientBalance => json!({"balance": 500, "amount": 12000}),
        Code::TokenNotActive => json!({"token_status": "WAITING"}),
        Code::SelectionClosed => json!({"selection_ends_at": "2026-12-01T10:11:00Z"}),
        Code::SeatTaken => json!({"seat_numbers": [7], "own_seat_numbers": []}),
        Code::SeatLimit => json!({"max_seats": 4}),
        Code::PurchaseLimit => json!({"max_per_user": 4, "owned": 3}),
        _ => json!({}),
    };
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    utoipa::openapi::example::ExampleBuilder::new().value(Some(value)).build()
}
