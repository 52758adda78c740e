package checker

// History is all that is left of a run.
type History struct {
	Group           string            // the consumer group
	Source          string            // ce_source of events
	Kinds           map[string]string // the command type of bare records, by command topic
	TopicIDs        map[string]string // of the command topics, as ce_id has them
	TimelineChanges int               // how often the database lost its last commits
	Commands        []Packed
	Events          []Packed // each partition's in order; so for the following
	Letters         []Packed
	Lost            []Record // commands that Kafka acknowledged, and that are not there
	Partitions      []Partition
	Tables          Tables
}

// Partition is what Kafka knows of a partition of a command topic.
type Partition struct {
	Topic     string
	Partition int32
	End       int64 // the last stable offset
	Committed int64 // by the group; -1: nothing
}

// Tables are the rows of the database.
type Tables struct {
	Positions    []PositionRow
	Products     []ProductRow
	Batches      []BatchRow
	Lines        []LineRow
	Outbox       []OutboxRow
	Letters      []LetterRow
	HeldKeys     []HeldKeyRow
	HeldCommands []HeldCommandRow
}

// PositionRow is a row of positions.
type PositionRow struct {
	Source       int32
	Topic        string
	TopicID      string // as ce_id has it
	Partition    int32
	NextOffset   int64
	NextRow      int64
	PublishedRow int64
}

// ProductRow is a row of products.
type ProductRow struct {
	SKU              string
	Version, Waiting int64
}

// BatchRow is a row of batches. An absent date is empty, an absent revision -1.
type BatchRow struct {
	Ref, SKU       string
	Qty, Allocated int64
	ETA            string
	FirstQty       int64
	FirstETA       string
	Revision       int64
	LastChange     string
}

// LineRow is a row of lines.
type LineRow struct {
	OrderID, SKU, LineID string
	Qty, Placed          int64
	State, BatchRef      string
}

// OutboxRow is a row of the outbox. The type of a dead letter is empty, that of an operator's
// decision begins with dlq-.
type OutboxRow struct {
	Source        int32 // numbers the rows
	Row, Offset   int64
	Event         int32
	Type          string
	CommandSource int32  // whose partition the command came by
	Sum           uint64 // of what the event says (see sumOf)
}

// LetterRow is a row of dead_letters.
type LetterRow struct {
	Source        int32
	Row           int64
	Offset        int64
	Reason        string
	Key, Value    []byte
	CommandSource int32
	State         string // open, retried, discarded, or on its way there
	Retries       int    // how often an operator had the command applied again before
}

// HeldKeyRow is a row of held_keys.
type HeldKeyRow struct {
	Key    string
	Source int32
	Row    int64
}

// HeldCommandRow is a row of held_commands.
type HeldCommandRow struct {
	Seq           int64
	Key           string
	CommandSource int32
	Offset        int64
	Value         []byte
}
