package checker

// History is all that is left of a run.
type History struct {
	Group      string            // the consumer group
	Source     string            // ce_source of events
	Kinds      map[string]string // the command type of bare records, by command topic
	TopicIDs   map[string]string // of the command topics, as ce_id has them
	Commands   []Record          // each partition's in order
	Events     []Record
	Letters    []Record
	Partitions []Partition
	Tables     Tables
}

// Record is a Kafka record.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	Time      int64 // Unix milliseconds
	Key       []byte
	Value     []byte
	Headers   []Header
}

// Header is a header of a record.
type Header struct {
	Key   string
	Value []byte
}

// header is the last value of a header; nil where there is none.
func (r *Record) header(key string) []byte {
	for i := len(r.Headers) - 1; i >= 0; i-- {
		if r.Headers[i].Key == key {
			return r.Headers[i].Value
		}
	}
	return nil
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
	Positions []PositionRow
	Products  []ProductRow
	Batches   []BatchRow
	Lines     []LineRow
	Outbox    []OutboxRow
	Letters   []LetterRow
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

// OutboxRow is a row of the outbox. The type of a dead letter is empty.
type OutboxRow struct {
	Source      int32
	Row, Offset int64
	Event       int32
	Type        string
}

// LetterRow is a row of dead_letters.
type LetterRow struct {
	Source     int32
	Row        int64
	Offset     int64
	Reason     string
	Key, Value []byte
}
