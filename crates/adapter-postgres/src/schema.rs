// @generated automatically by Diesel CLI.

diesel::table! {
    clockwork (id) {
        id -> Int4,
        ticked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    concerts (queue, id) {
        queue -> Int4,
        id -> Uuid,
        title -> Text,
        created_at -> Timestamptz,
        max_per_user -> Nullable<Int4>,
    }
}

diesel::table! {
    entries (user_id, seq) {
        user_id -> Text,
        seq -> Int8,
        id -> Uuid,
        kind -> Text,
        amount -> Numeric,
        balance_after -> Numeric,
        reservation_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        idempotency_key -> Nullable<Text>,
        fingerprint -> Nullable<Bytea>,
    }
}

diesel::table! {
    loadings (idempotency_key) {
        idempotency_key -> Text,
        fingerprint -> Bytea,
        queue -> Int4,
        concert_id -> Uuid,
        loaded_at -> Timestamptz,
    }
}

diesel::table! {
    messages (queue) {
        queue -> Int4,
        since -> Timestamptz,
        ko -> Text,
        en -> Text,
    }
}

diesel::table! {
    payments (queue, id) {
        queue -> Int4,
        id -> Uuid,
        reservation_id -> Uuid,
        user_id -> Text,
        amount -> Numeric,
        paid_at -> Timestamptz,
        entry_seq -> Int8,
        idempotency_key -> Nullable<Text>,
        fingerprint -> Nullable<Bytea>,
    }
}

diesel::table! {
    policies (queue, seq) {
        queue -> Int4,
        seq -> Int4,
        since -> Timestamptz,
        max_active -> Int4,
        batch -> Int4,
        interval_seconds -> Int4,
        paused -> Bool,
        opens_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    queue_registry (number) {
        number -> Int4,
        name -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    queues (queue) {
        queue -> Int4,
        epoch -> Bytea,
        version -> Int8,
        issued -> Int8,
        admitted -> Int8,
        frontier -> Int8,
        ended_beyond -> Int8,
        policy_seq -> Int4,
        window_index -> Int8,
        window_granted -> Int4,
    }
}

diesel::table! {
    reservation_seats (queue, reservation_id, seat_id) {
        queue -> Int4,
        reservation_id -> Uuid,
        seat_id -> Uuid,
        number -> Int4,
        price -> Numeric,
    }
}

diesel::table! {
    reservations (queue, id) {
        queue -> Int4,
        id -> Uuid,
        user_id -> Text,
        schedule_id -> Uuid,
        amount -> Numeric,
        status -> Text,
        cancel_reason -> Nullable<Text>,
        reserved_at -> Timestamptz,
        expires_at -> Timestamptz,
        idempotency_key -> Nullable<Text>,
        fingerprint -> Nullable<Bytea>,
    }
}

diesel::table! {
    schedules (queue, id) {
        queue -> Int4,
        id -> Uuid,
        concert_id -> Uuid,
        starts_at -> Timestamptz,
        offset_minutes -> Int4,
        local_date -> Date,
        seats_total -> Int4,
        max_per_user -> Nullable<Int4>,
    }
}

diesel::table! {
    seats (queue, schedule_id, number) {
        queue -> Int4,
        schedule_id -> Uuid,
        number -> Int4,
        id -> Uuid,
        price -> Numeric,
        reservation_id -> Nullable<Uuid>,
        held_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    servers (id) {
        id -> Uuid,
        since -> Timestamptz,
        last -> Timestamptz,
    }
}

diesel::table! {
    sightings (queue, chunk, noted_at, server) {
        queue -> Int4,
        chunk -> Int8,
        noted_at -> Timestamptz,
        server -> Uuid,
        seen -> Bytea,
    }
}

diesel::table! {
    token_keys (id) {
        id -> Int4,
        fingerprint -> Bytea,
        generated -> Nullable<Bytea>,
    }
}

diesel::table! {
    tokens (queue, number) {
        queue -> Int4,
        number -> Int8,
        user_id -> Text,
        status -> Text,
        issued_at -> Timestamptz,
        activated_at -> Nullable<Timestamptz>,
        deadline -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
        end_reason -> Nullable<Text>,
        paid_reservation -> Nullable<Uuid>,
        out_version -> Nullable<Int8>,
        selection_ends_at -> Nullable<Timestamptz>,
        last_paid -> Nullable<Uuid>,
    }
}

diesel::table! {
    wallets (user_id) {
        user_id -> Text,
        balance -> Numeric,
        last_seq -> Int8,
    }
}

diesel::joinable!(concerts -> queues (queue));
diesel::joinable!(entries -> wallets (user_id));
diesel::joinable!(messages -> queues (queue));
diesel::joinable!(policies -> queue_registry (queue));
diesel::joinable!(queues -> queue_registry (queue));
diesel::joinable!(sightings -> queues (queue));
diesel::joinable!(tokens -> queues (queue));

diesel::allow_tables_to_appear_in_same_query!(
    clockwork,
    concerts,
    entries,
    loadings,
    messages,
    payments,
    policies,
    queue_registry,
    queues,
    reservation_seats,
    reservations,
    schedules,
    seats,
    servers,
    sightings,
    token_keys,
    tokens,
    wallets,
);
