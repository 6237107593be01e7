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
            admission:
                nobody_is_admitted_while_paused_r3
                a_window_grants_one_batch_and_unused_grants_are_gone_r3
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
                a_number_never_issued_cannot_leave
                leaving_cancels_ones_pending_reservations_there_r17
                leaving_too_late_ends_nothing_that_time_has_not_r5
                a_former_token_cannot_end_the_new_one
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
