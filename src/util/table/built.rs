//! Parts as they are built: what their tables are handed over by.

/// A part as it is built.
pub(crate) trait Tables {
    /// The part as it is read.
    type View<'a>
    where
        Self: 'a;

    /// Hands over the length of each table, and the scalars.
    fn measure(&self, to: &mut impl Measure);

    /// Hands over the bytes of each table and frees it.
    fn store(self, to: &mut impl Store);

    /// Returns the tables as they are read, with no bytes between.
    fn view(&self) -> Self::View<'_>;
}

/// Takes in the tables of a part in their order.
pub(crate) trait Measure {
    /// Takes in the number of records of the next table.
    fn table(&mut self, len: usize);

    /// Takes in the next scalar.
    fn scalar(&mut self, value: u32);
}

/// Takes in the bytes of the tables in their order.
pub(crate) trait Store {
    /// Takes in the bytes of the next table.
    fn table(&mut self, bytes: &[u8]);
}

macro_rules! owned {
    (table $Type:ty) => { Vec<$Type> };
    (scalar $Type:ty) => { $Type };
    (part $Type:ty) => { $Type };
}

macro_rules! measure {
    (table $self:ident.$field:ident, $to:ident) => {
        $to.table($self.$field.len())
    };
    (scalar $self:ident.$field:ident, $to:ident) => {
        $to.scalar($self.$field)
    };
    (part $self:ident.$field:ident, $to:ident) => {
        $self.$field.measure($to)
    };
}

macro_rules! store {
    (table $self:ident.$field:ident, $to:ident) => {{
        let table = $self.$field;
        $to.table(zerocopy::IntoBytes::as_bytes(table.as_slice()));
    }};
    (scalar $self:ident.$field:ident, $to:ident) => {};
    (part $self:ident.$field:ident, $to:ident) => {
        $self.$field.store($to)
    };
}

macro_rules! view {
    (table $self:ident.$field:ident) => {
        $self.$field.as_slice()
    };
    (scalar $self:ident.$field:ident) => {
        $self.$field
    };
    (part $self:ident.$field:ident) => {
        $self.$field.view()
    };
}

pub(crate) use {measure, owned, store, view};
