//! Objects in bodies: one declaration is what is read and what the document shows.

use std::fmt;

use domain::{Edit, Wrong};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::request::body_values::{Errors, FromJson};

/// The members of a JSON object, to be taken one by one. A member that is left over in the end is unknown or came twice.
pub(crate) struct Members<'a> {
    at: String,
    members: Vec<(String, &'a RawValue)>,
}

impl<'a> Members<'a> {
    /// The object that stands at `at`.
    pub(crate) fn of(raw: &'a RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        let Ok(Listed(members)) = serde_json::from_str(raw.get()) else {
            return errors.reject(if at.is_empty() { "body" } else { at }, Wrong::Object);
        };
        Some(Self { at: at.to_owned(), members })
    }

    /// Whether there is a member of one of these names that was not taken yet.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        self.members.iter().any(|(known, _)| names.contains(&known.as_str()))
    }

    /// A member that must be there.
    fn required<T: FromJson>(&mut self, name: &str, errors: &mut Errors) -> Option<T> {
        if self.has(&[name]) { self.optional(name, errors) } else { errors.reject(&self.path(name), Wrong::Missing) }
    }

    /// A member that may be left out. Nothing, too, when it cannot be read, which is noted.
    fn optional<T: FromJson>(&mut self, name: &str, errors: &mut Errors) -> Option<T> {
        let index = self.members.iter().position(|(known, _)| known == name)?;
        let (_, raw) = self.members.swap_remove(index);
        T::read(raw, &self.path(name), errors)
    }

    /// Whether the first member of this name is `null`.
    fn is_null(&self, name: &str) -> bool {
        self.members.iter().find(|(known, _)| known == name).is_some_and(|(_, raw)| raw.get() == "null")
    }

    /// Takes the first member of this name, whatever it is.
    fn forget(&mut self, name: &str) {
        if let Some(index) = self.members.iter().position(|(known, _)| known == name) {
            self.members.swap_remove(index);
        }
    }

    /// Refuses the members that are left over: each name was taken once.
    pub(crate) fn finish(self, errors: &mut Errors) {
        for (name, _) in &self.members {
            errors.reject::<()>(&self.path(name), Wrong::UnknownOrTwice);
        }
    }

    fn path(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }
}

/// An object whose members are all known.
pub(crate) trait Object: Sized {
    /// The names of its members.
    const NAMES: &'static [&'static str];

    /// Takes its members; notes which are missing or cannot be read, and those that are left over.
    fn take(members: Members<'_>, errors: &mut Errors) -> Option<Self>;
}

/// The type of a member: a value that must be there or, as an `Option`, one that may be left out.
pub(crate) trait Member: Sized {
    /// Takes the member of this name.
    fn take(members: &mut Members<'_>, name: &str, errors: &mut Errors) -> Option<Self>;
}

impl<T: FromJson> Member for T {
    fn take(members: &mut Members<'_>, name: &str, errors: &mut Errors) -> Option<Self> {
        members.required(name, errors)
    }
}

impl<T: FromJson> Member for Option<T> {
    fn take(members: &mut Members<'_>, name: &str, errors: &mut Errors) -> Option<Self> {
        Some(members.optional(name, errors))
    }
}

/// A member that may be left out, and that `null` takes away.
impl<T: FromJson> Member for Edit<T> {
    fn take(members: &mut Members<'_>, name: &str, errors: &mut Errors) -> Option<Self> {
        if members.is_null(name) {
            members.forget(name);
            return Some(Self::Clear);
        }
        Some(members.optional(name, errors).map_or(Self::Keep, Self::Set))
    }
}

/// Declares a body or a part of one. One struct drives the reader and the document, so that the two cannot differ.
macro_rules! object {
    ($(#[$of_object:meta])* struct $name:ident { $($(#[$of_member:meta])* $member:ident: $type:ty,)+ }) => {
        #[derive(utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        $(#[$of_object])*
        struct $name {
            $($(#[$of_member])* $member: $type,)+
        }

        impl $crate::request::body_object::Object for $name {
            const NAMES: &'static [&'static str] = &[$(stringify!($member)),+];

            fn take(
                mut members: $crate::request::body_object::Members<'_>,
                errors: &mut $crate::request::body_values::Errors,
            ) -> Option<Self> {
                $(let $member = $crate::request::body_object::Member::take(&mut members, stringify!($member), errors);)+
                members.finish(errors);
                Some(Self { $($member: $member?,)+ })
            }
        }

        impl $crate::request::body_values::FromJson for $name {
            fn read(
                raw: &serde_json::value::RawValue,
                at: &str,
                errors: &mut $crate::request::body_values::Errors,
            ) -> Option<Self> {
                let members = $crate::request::body_object::Members::of(raw, at, errors)?;
                <Self as $crate::request::body_object::Object>::take(members, errors)
            }
        }
    };
}

pub(crate) use object;

/// Name and source text of each member, in the order they came, doubles included.
struct Listed<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Listed<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Listed<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Listed(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
