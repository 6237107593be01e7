//! The list of the suite's tests, the only one there is, and the macro that makes `#[test]`s of them.

use std::future::Future;
use std::pin::Pin;

use domain::Rules;

use crate::{Make, Store};

type Test = fn(Make) -> Pin<Box<dyn Future<Output = ()>>>;

/// Hands the names of all tests, by module, to the macro `$then`, behind `$with`.
///
/// A test function that is not listed here is dead code, and the compiler says so.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($then:ident $with:tt) => {
        $crate::$then! { $with
            absence:
                nobody_is_absent_where_no_server_watches
                who_was_not_seen_for_longer_than_the_rules_allow_is_passed_over
                who_is_passed_over_ends_there_and_may_join_again
                the_operator_can_forbid_to_judge
                nobody_is_judged_before_a_server_has_watched_for_long_enough
                after_a_gap_a_server_watches_anew
                a_silent_server_holds_judgement_up_until_it_is_given_up
                a_clock_that_is_set_back_judges_nobody_until_servers_have_watched_anew
                who_has_stopped_holds_no_judgement_up_and_whom_it_saw_stays_known
                who_was_seen_keeps_the_place_and_nobody_is_judged_before_their_turn
                notes_of_one_moment_all_count
                what_was_seen_too_long_ago_does_not_count
                who_was_seen_in_another_queue_was_not_seen_here
                who_joined_lately_is_there
                a_thousand_absent_heads_delay_nobody_q11
                a_tick_takes_no_more_turns_than_it_may
            ;
            across:
                reading_changes_nothing_s12
                the_store_tells_the_time_its_rules_go_by
                what_was_answered_is_seen_s13
                a_caller_that_goes_away_leaves_nothing_half_done
            ;
            admission:
                nobody_is_admitted_while_paused_r3
                a_window_grants_one_batch_and_unused_grants_are_gone_r3
                a_clock_that_is_set_back_stops_no_line_r3_q2
                never_more_than_max_active_r3_q6
                a_smaller_max_active_ends_nobody_r3
                a_change_of_policy_starts_a_window_r3
                the_silent_make_room_at_their_deadline_r3_r5_q9
                a_join_admits_into_places_that_time_freed_r3
                the_gone_do_not_block_a_batch_q11
                two_admitters_lose_and_double_nobody_r3_q7
                parallel_joins_keep_the_cap_r3_q6
                admission_is_in_the_order_of_numbers_r3_q4
                queues_with_nothing_due_are_not_listed
                a_report_counts_who_is_active_now
                a_policy_out_of_bounds_changes_nothing_r3
                only_what_is_named_of_a_policy_changes
                an_unknown_queue_has_no_policy
            ;
            bounds:
                a_tick_admits_and_ends_no_more_than_it_may
            ;
            charging:
                a_charge_is_an_entry_and_a_balance_r12_w13
                an_unknown_users_wallet_is_empty_s12
                a_charge_has_bounds_r12_w3
                a_balance_does_not_overflow_w3
                parallel_charges_all_count_r12_w1_w10
                entries_are_listed_newest_first_in_pages
            ;
            clockwork:
                the_last_tick_is_kept_and_not_each_of_them
                a_tick_of_before_the_clock_was_set_back_is_forgotten
            ;
            concerts:
                a_concert_is_loaded_whole
                a_concert_is_loaded_only_into_a_queue_that_is_there_r1
                what_has_started_is_not_listed_r11
                dates_of_a_concert_are_of_what_is_for_sale_r11
                concerts_are_listed_newest_first_in_pages
                schedules_are_listed_by_start_then_id_in_pages
                schedules_are_filtered_by_concert_and_local_date
                a_queue_sees_its_own_sale_only_r6
            ;
            ending:
                cancelling_frees_the_seats_and_again_changes_nothing_r17_w11
                only_a_live_token_cancels_r17
                what_is_paid_is_not_cancelled_r17
                only_ones_own_is_cancelled_r17
                cancelling_what_is_over_is_no_cancelling_r7_s4
                the_sweep_is_exact_r10_s4
                the_sweep_touches_nothing_that_is_not_its_own_r10_s2
                a_seat_that_was_swept_is_sold_to_another_s7
                at_most_five_hundred_are_swept_at_once_oldest_first_r10
                one_reads_ones_own_reservations_newest_first
                lists_show_the_state_of_the_moment_r7
            ;
            epochs:
                a_new_epoch_ends_all_live_tokens
                a_new_epoch_is_a_change_of_every_line
                numbers_go_on_after_a_new_epoch_r2
                what_time_had_ended_no_epoch_ends_r5
                holds_run_out_by_themselves_after_a_new_epoch_r10
                no_epoch_is_renewed_while_a_server_tells_of_itself
                notes_of_before_a_clock_was_set_back_hold_no_epoch_up
                an_epoch_can_be_renewed_again
            ;
            following:
                changes_show_what_changed_and_nothing_else_r4
                who_left_behind_the_frontier_is_not_named
                an_unknown_queue_comes_whole
                a_token_notes_the_version_at_which_it_ceased_to_wait_r4
                following_by_changes_equals_reading_whole_and_brute_force_r4_q1
                no_change_is_skipped_while_many_join_and_leave_r4
                a_new_queue_is_a_change
            ;
            holding:
                a_hold_is_answered_whole_r8_r9
                seats_can_be_named_by_their_ids
                only_an_active_token_holds_r6_q16
                no_hold_starts_at_the_end_of_selection_r5
                a_hold_covers_its_own_time_r5
                a_hold_takes_all_or_none_r8_s9
                no_hold_starts_when_the_schedule_has_r11
                what_is_not_there_cannot_be_held_r6
                seats_of_two_schedules_cannot_be_held_together_r8
                a_dead_hold_is_taken_over_r7_s4_s6
                the_rest_of_what_was_taken_over_is_free_r7_s7
                several_dead_holds_are_taken_over_at_once_r7
                ones_own_dead_hold_is_no_hold_r7
                a_reservation_shows_the_start_as_it_was_written
                a_reservation_shows_its_seats_by_number
            ;
            joining:
                main_exists_from_the_start
                a_live_user_keeps_the_place_r1
                who_left_comes_back_at_the_tail_r1
                a_place_is_kept_until_its_deadline_and_not_at_it_r1_r5
                fifty_joins_of_one_user_give_one_token_r1_q3
                numbers_are_dense_r2
                numbers_follow_the_order_of_commits_r2_q2
                a_join_creates_no_queue_r1
                a_newcomer_with_nobody_ahead_is_active_at_once_r3
                a_newcomer_does_not_overtake_r3_q5
                a_number_never_issued_is_found_nowhere
                positions_are_those_of_brute_force_r4_q1
                the_version_grows_with_what_moves_the_line_r4
                a_token_past_its_deadline_is_shown_as_stored
                queues_do_not_know_of_each_other
            ;
            leaving:
                who_waits_and_leaves_moves_the_others_up_r4_r17
                leaving_again_changes_nothing_r17
                leaving_tells_of_which_schedules_it_gave_up_seats_r17
                a_number_never_issued_cannot_leave
                leaving_cancels_ones_pending_reservations_there_r17
                leaving_too_late_ends_nothing_that_time_has_not_r5
                leaving_too_late_gives_up_no_hold_of_an_earlier_place_r17
                a_former_token_cannot_end_the_new_one
            ;
            limits:
                four_seats_are_held_and_a_fifth_is_not_r8
                the_limit_is_the_operators_r8
                the_limit_spans_a_queue_r8
                only_live_pending_seats_count_r7_r8
                a_new_token_does_not_raise_the_limit_r8
                parallel_holds_of_one_user_keep_the_limit_r8
            ;
            loading:
                a_loading_is_answered_again_r15
                a_key_of_loading_is_one_for_all_queues_r15
                a_key_of_loading_is_never_forgotten_r15
                what_has_started_is_not_loaded_r11
                a_loading_that_is_refused_records_nothing_r15
                one_key_at_once_loads_once_r15
                one_key_at_once_for_two_concerts_loads_one_r15
            ;
            making:
                a_queue_is_made_with_its_own_policy_and_can_be_joined_r3
                a_name_that_a_queue_has_is_refused_and_nothing_changes
                of_many_who_make_a_queue_at_once_one_does
            ;
            opening:
                nobody_is_admitted_before_the_opening_r19
                windows_are_counted_from_the_opening_r19
                a_pause_wins_over_an_opening_r19
                an_opening_moved_ahead_is_a_pause_and_without_one_it_is_open_r19
                an_opening_out_of_bounds_changes_nothing_r19
                a_queue_is_made_with_an_opening_and_a_message_r19
                a_message_is_told_to_all_who_follow_until_it_is_taken_away
                a_message_is_no_change_of_the_policy_r3
                messages_are_kept_letter_by_letter
            ;
            paying:
                a_payment_changes_all_it_should_r14_w14
                an_equal_balance_is_enough_and_less_is_not_r13_w2
                the_checks_come_in_the_rules_order_r13
                only_an_active_token_pays_r6_r13
                a_hold_is_payable_until_its_deadline_r13_s4
                what_went_to_somebody_else_is_not_paid_s5
                nobody_pays_for_another_w5
                a_named_amount_must_be_right_w4
                paying_twice_is_already_paid_r6_r13
                another_queues_reservation_is_not_there_r6_r13
                what_is_held_is_paid_after_the_start_r11
                a_payment_makes_room_in_the_line_r5_r14
                one_reads_ones_own_payments_newest_first
            ;
            purchases:
                what_is_bought_counts_in_the_next_turn_r8
                seats_by_their_ids_count_too_r8
                the_limit_of_a_concert_spans_its_schedules_r8
                what_is_given_up_or_over_does_not_count_r7_r8
                limits_are_asked_in_their_order_r8
                parallel_holds_of_one_user_keep_the_limit_of_a_concert_r8
                paying_and_coming_back_at_once_keeps_the_limit_r8
                a_refusal_names_ones_own_seats_r8
                a_schedule_shows_how_many_one_may_have
            ;
            races:
                of_two_hundred_holds_on_a_seat_one_has_it_r8_s1
                overlapping_sets_are_all_or_none_s9
                of_many_takeovers_one_wins_r7
                of_fifty_payments_of_a_reservation_one_is_done_w6
                a_wallet_pays_only_what_it_has_w2_w7
                exactly_one_ends_a_reservation_s3_w11
                who_leaves_holds_nothing_r17
                a_mix_of_everything_adds_up_w7_w9_w10
            ;
            replaying:
                a_hold_is_answered_again_r15
                a_charge_is_answered_again_r15
                a_payment_is_answered_again_with_the_token_it_ended_r15_w12
                a_replay_tells_the_state_of_today_r15
                an_unknown_token_replays_nothing_r15
                refusals_are_not_recorded_r15
                a_key_is_forgotten_after_a_day_r15
                keys_do_not_meet_across_users_operations_and_queues_r15
                one_key_at_once_is_done_once_r15_w12
                one_key_at_once_for_two_requests_does_one_r15_w12
                a_charge_can_be_asked_for_again_without_charging_r15
            ;
            reporting:
                a_report_counts_the_ended_by_reason
                a_report_tells_the_oldest_wait
                a_report_tells_how_long_the_last_ones_waited
                a_change_of_policy_is_answered_by_the_report
                the_active_are_counted_in_all_queues_by_time
            ;
            seat_maps:
                a_hold_is_shown_until_it_ends_r7_s4
                maps_and_counts_follow_every_change_s11
                one_schedule_knows_nothing_of_another
                a_schedule_that_is_not_there_has_no_seats_r6
            ;
            server_key:
                a_key_is_kept_and_replaced
                a_key_kept_meanwhile_is_not_overwritten
                of_servers_that_start_at_once_one_keeps_its_key
            ;
            stock:
                a_look_shows_seats_by_price_then_number_r7
                each_look_shows_its_own_schedule
                a_look_shows_a_hold_until_it_ends_r7
                a_search_by_looks_tells_what_is_left
                a_schedule_that_is_loaded_later_is_looked_at
            ;
            turns:
                a_cancelled_hold_gives_its_time_back_r5
                after_selection_the_last_hold_that_is_cancelled_ends_the_turn_r5
                the_last_hold_that_runs_out_ends_the_turn_r5
                nobody_stays_longer_than_selection_and_one_hold_r5
                who_holds_more_pays_that_too_r14
                a_token_that_paid_ends_paid_however_its_last_hold_ends_r14
                what_ends_at_once_ends_the_turn_once_r14
            ;
            history:
                histories_are_those_of_the_reference_and_the_oracle
                histories_at_once_add_up
            ;
        }
    };
}

/// Makes a `#[test]` of every test of the contract for the stores that `$make` makes, an `async fn(Rules) -> Store`
/// that is called on a multi-threaded tokio runtime. To be called once in a module of its own.
#[macro_export]
macro_rules! contract_suite {
    ($make:expr) => {
        $crate::contract_tests! { contract_test_functions ($make) }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! contract_test_functions {
    (($make:expr) $($module:ident: $($name:ident)*;)*) => {
        use $crate::run as run_contract_test;
        $(mod $module {
            use super::*;
            $(
                #[test]
                fn $name() {
                    run_contract_test(concat!(stringify!($module), "::", stringify!($name)), $make);
                }
            )*
        })*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! contract_test_table {
    (() $($module:ident: $($name:ident)*;)*) => {
        &[$($((
            concat!(stringify!($module), "::", stringify!($name)),
            |make| Box::pin($crate::contract::$module::$name(make)),
        ),)*)*]
    };
}

/// All tests by name.
const TESTS: &[(&str, Test)] = contract_tests! { contract_test_table () };

/// Runs the test of this name on stores that `make` makes, on a multi-threaded runtime of its own.
///
/// # Panics
/// When the store does not do what the contract says, and when there is no test of this name.
pub fn run<F: Future<Output = Store> + Send + 'static>(name: &str, make: impl Fn(Rules) -> F + 'static) {
    let (_, test) = TESTS.iter().find(|(known, _)| *known == name).expect("a test of the list");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test(Make::new(make)));
}
