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
    (($make:expr) $($module:ident: $($name:ident)*;)*) => {$(
        mod $module {
            #[allow(unused_imports, reason = "what `make` is made of is known to the caller only")]
            use super::*;
            $(
                #[test]
                fn $name() {
                    $crate::run(concat!(stringify!($module), "::", stringify!($name)), $make);
                }
            )*
        }
    )*};
}

#[doc(hidden)]
#[macro_export]
macro_rules! contract_test_table {
    (() $($module:ident: $($name:ident)*;)*) => {
        &[$($((
            concat!(stringify!($module), "::", stringify!($name)),
            |make| Box::pin($crate::$module::$name(make)),
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
