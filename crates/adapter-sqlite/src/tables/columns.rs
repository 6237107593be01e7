//! From rows to the domain's values. What does not parse is [`StoreError::Inconsistent`], never "not found".

use diesel::deserialize::{self, FromSql, QueryableByName};
use diesel::row::{NamedRow, Row};
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteValue};
use domain::ports::StoreError;
use domain::{Money, QueueNumber, Ticket, TicketNumber, Timestamp, UserId};
use uuid::Uuid;

/// A table and one of its columns, as errors name them.
pub(crate) type Column = (&'static str, &'static str);

/// A value that a row holds.
pub(crate) trait FromRow: Sized + 'static {
    /// Reads the columns in the order of the statement's list.
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError>;
}

/// A row whose value may not parse, so that the statement does not fail for it as if the database had.
pub(crate) struct Record<T>(pub(crate) Result<T, StoreError>);

impl<T: FromRow> QueryableByName<Sqlite> for Record<T> {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        Ok(Self(T::from_row(row)))
    }
}

/// Typed access to the columns of a row by place; the name is for the error only.
pub(crate) trait Columns<'a> {
    /// An integer or NULL.
    fn int_or_null(&self, place: usize, column: Column) -> Result<Option<i64>, StoreError>;
    /// A text or NULL.
    fn text_or_null(&self, place: usize, column: Column) -> Result<Option<String>, StoreError>;
    /// A blob of `N` bytes or NULL.
    fn bytes_or_null<const N: usize>(&self, place: usize, column: Column) -> Result<Option<[u8; N]>, StoreError>;

    fn int(&self, place: usize, column: Column) -> Result<i64, StoreError> {
        self.int_or_null(place, column)?.ok_or_else(|| null(column))
    }

    fn text(&self, place: usize, column: Column) -> Result<String, StoreError> {
        self.text_or_null(place, column)?.ok_or_else(|| null(column))
    }

    fn bytes<const N: usize>(&self, place: usize, column: Column) -> Result<[u8; N], StoreError> {
        self.bytes_or_null(place, column)?.ok_or_else(|| null(column))
    }

    fn id(&self, place: usize, column: Column) -> Result<Uuid, StoreError> {
        self.bytes(place, column).map(Uuid::from_bytes)
    }

    fn id_or_null(&self, place: usize, column: Column) -> Result<Option<Uuid>, StoreError> {
        Ok(self.bytes_or_null(place, column)?.map(Uuid::from_bytes))
    }

    /// An integer within the bounds of `T`.
    fn number<T: TryFrom<i64>>(&self, place: usize, column: Column) -> Result<T, StoreError> {
        let value = self.int(place, column)?;
        T::try_from(value).map_err(|_out_of_bounds| wrong(column, value))
    }

    fn number_or_null<T: TryFrom<i64>>(&self, place: usize, column: Column) -> Result<Option<T>, StoreError> {
        let value = self.int_or_null(place, column)?;
        value.map(|value| T::try_from(value).map_err(|_out_of_bounds| wrong(column, value))).transpose()
    }

    fn flag(&self, place: usize, column: Column) -> Result<bool, StoreError> {
        match self.int(place, column)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(wrong(column, other)),
        }
    }

    fn money(&self, place: usize, column: Column) -> Result<Money, StoreError> {
        let minor = self.int(place, column)?;
        Money::from_minor(minor).ok_or_else(|| wrong(column, minor))
    }

    fn instant(&self, place: usize, column: Column) -> Result<Timestamp, StoreError> {
        instant(self.int(place, column)?, column)
    }

    fn instant_or_null(&self, place: usize, column: Column) -> Result<Option<Timestamp>, StoreError> {
        self.int_or_null(place, column)?.map(|micros| instant(micros, column)).transpose()
    }

    fn user(&self, place: usize, column: Column) -> Result<UserId, StoreError> {
        let text = self.text(place, column)?;
        UserId::stored(&text).ok_or_else(|| wrong(column, format!("{text:?}")))
    }

    /// The queue's number in `place`, the ticket's in the next one.
    fn ticket(&self, place: usize, column: Column) -> Result<Ticket, StoreError> {
        let queue = QueueNumber(self.number(place, column)?);
        let number = self.number::<u64>(place + 1, column)?;
        let number = TicketNumber::new(number).ok_or_else(|| wrong(column, number))?;
        Ok(Ticket { queue, number })
    }
}

impl<'a, R: Row<'a, Sqlite>> Columns<'a> for R {
    fn int_or_null(&self, place: usize, column: Column) -> Result<Option<i64>, StoreError> {
        self.get_value::<Nullable<BigInt>, Option<i64>, _>(place).map_err(|error| wrong(column, error))
    }

    fn text_or_null(&self, place: usize, column: Column) -> Result<Option<String>, StoreError> {
        let text = self.get_value::<Nullable<Text>, Option<Utf8>, _>(place).map_err(|error| wrong(column, error))?;
        Ok(text.map(|text| text.0))
    }

    fn bytes_or_null<const N: usize>(&self, place: usize, column: Column) -> Result<Option<[u8; N]>, StoreError> {
        let bytes = self.get_value::<Nullable<Binary>, Option<Bytes<N>>, _>(place);
        Ok(bytes.map_err(|error| wrong(column, error))?.map(|bytes| bytes.0))
    }
}

/// Text that is UTF-8 in the file: Diesel's `String` would replace what is not.
struct Utf8(String);

impl FromSql<Text, Sqlite> for Utf8 {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(std::str::from_utf8(value.read_blob())?.to_owned()))
    }
}

struct Bytes<const N: usize>([u8; N]);

impl<const N: usize> FromSql<Binary, Sqlite> for Bytes<N> {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(value.read_blob().try_into()?))
    }
}

fn null(column: Column) -> StoreError {
    wrong(column, "is NULL")
}

fn instant(micros: i64, column: Column) -> Result<Timestamp, StoreError> {
    let at = Timestamp::from_micros(micros);
    // Beyond the years 1 to 9999 it would be another instant.
    if at.micros() == micros { Ok(at) } else { Err(wrong(column, micros)) }
}

/// A value that the schema does not promise.
#[expect(clippy::needless_pass_by_value, reason = "callers hand over what they have just made")]
pub(crate) fn wrong((table, column): Column, detail: impl ToString) -> StoreError {
    StoreError::Inconsistent { table, column, detail: detail.to_string() }
}

/// A single integer, as counts are.
pub(crate) struct Count(pub(crate) u64);

impl FromRow for Count {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        row.number(0, ("count", "")).map(Self)
    }
}
