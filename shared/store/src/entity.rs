//! The tables as sea-orm reads them.

pub(crate) mod record {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "record")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Uuid,
        pub(crate) process: String,
        pub(crate) number: String,
        pub(crate) definition: i32,
        pub(crate) state: String,
        pub(crate) revision: i64,
        pub(crate) data: String,
        pub(crate) audience: i32,
        pub(crate) opened_at: DateTimeUtc,
        pub(crate) updated_at: DateTimeUtc,
        pub(crate) entered_at: DateTimeUtc,
        pub(crate) closed_at: Option<DateTimeUtc>,
        pub(crate) opened_by: String,
        pub(crate) head: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod standing {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "standing")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) record_id: Uuid,
        pub(crate) process: String,
        pub(crate) state: String,
        pub(crate) updated_at: DateTimeUtc,
        pub(crate) closed_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod journal {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "journal")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) seq: i64,
        pub(crate) event_id: Uuid,
        pub(crate) record_id: Uuid,
        pub(crate) revision: i64,
        pub(crate) process: String,
        pub(crate) number: String,
        pub(crate) event_type: String,
        pub(crate) at: DateTimeUtc,
        pub(crate) occurred_at: DateTimeUtc,
        pub(crate) actor: String,
        pub(crate) audience: String,
        pub(crate) correlation: Uuid,
        pub(crate) causation: Option<String>,
        pub(crate) traceparent: Option<String>,
        pub(crate) payload: Option<Vec<u8>>,
        pub(crate) salt: Option<Vec<u8>>,
        pub(crate) digest: Vec<u8>,
        pub(crate) link: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod checkpoint {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "checkpoint")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) n: i64,
        pub(crate) at: DateTimeUtc,
        pub(crate) after_seq: i64,
        pub(crate) through_seq: i64,
        pub(crate) entries: i64,
        pub(crate) root: Vec<u8>,
        pub(crate) signature: Vec<u8>,
        pub(crate) told_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod unsent {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "unsent")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) seq: i64,
        pub(crate) events: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod timer {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "timer")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) record_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) transition: String,
        pub(crate) process: String,
        pub(crate) due_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod link {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "link")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) record_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) relation: String,
        pub(crate) inverse: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) other_id: Uuid,
        pub(crate) other_number: String,
        pub(crate) other_process: String,
        pub(crate) at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod inbox {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "inbox")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) consumer: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) message: String,
        pub(crate) key: String,
        pub(crate) position: i64,
        pub(crate) state: String,
        pub(crate) outcome: Option<String>,
        pub(crate) attempts: i32,
        pub(crate) due_at: Option<DateTimeUtc>,
        pub(crate) reason: Option<String>,
        pub(crate) subject: Option<String>,
        pub(crate) headers: Option<String>,
        pub(crate) payload: Option<Vec<u8>>,
        pub(crate) at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod place {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "place")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) lane: String,
        pub(crate) made: String,
        pub(crate) sequence: i64,
        pub(crate) token: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod tally {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "tally")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) consumer: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) outcome: String,
        pub(crate) count: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod refusal {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "refusal")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) chain: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) n: i64,
        pub(crate) at: DateTimeUtc,
        pub(crate) actor: String,
        pub(crate) record_id: Option<Uuid>,
        pub(crate) process: String,
        pub(crate) command: String,
        pub(crate) rule: String,
        pub(crate) code: String,
        pub(crate) sentence: String,
        pub(crate) suppressed: i64,
        pub(crate) correlation: Uuid,
        pub(crate) link: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod once {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "once")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) scope: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) key: String,
        pub(crate) at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod counter {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "counter")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) process: String,
        pub(crate) value: i64,
        pub(crate) edition: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod slot {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "slot")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) process: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) field: String,
        pub(crate) place: String,
        pub(crate) filled: i16,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod present {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "present")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) kind: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) name: String,
        pub(crate) version: i32,
        pub(crate) shipped: Option<i32>,
        pub(crate) fed: Option<i32>,
        pub(crate) base: Option<i32>,
        pub(crate) edition: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod definition {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "definition")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) kind: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) name: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) version: i32,
        pub(crate) digest: String,
        pub(crate) content: String,
        pub(crate) published_at: DateTimeUtc,
        pub(crate) origin: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
