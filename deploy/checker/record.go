package checker

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
