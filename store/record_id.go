package store

import (
	"fmt"
	"strconv"
	"strings"
)

// RecordID is where a command was. It is what people call the command's dead letter by.
type RecordID struct {
	Topic     string
	Partition int32
	Offset    int64
}

func (p RecordID) String() string { return fmt.Sprintf("%s.%d.%d", p.Topic, p.Partition, p.Offset) }

// ParseRecordID reads what String writes. A topic's name may have dots itself.
func ParseRecordID(text string) (p RecordID, err error) {
	rest, offset, _ := cutLast(text)
	topic, partition, found := cutLast(rest)
	n, err1 := strconv.ParseInt(partition, 10, 32)
	m, err2 := strconv.ParseInt(offset, 10, 64)
	if !found || topic == "" || err1 != nil || err2 != nil || n < 0 || m < 0 {
		return p, fmt.Errorf("%q is no dead letter's ID; it must be <topic>.<partition>.<offset>, such as warehouse.commands.3.1042", text)
	}
	return RecordID{Topic: topic, Partition: int32(n), Offset: m}, nil
}

func cutLast(text string) (before, after string, found bool) {
	i := strings.LastIndexByte(text, '.')
	if i < 0 {
		return "", text, false
	}
	return text[:i], text[i+1:], true
}

// MarshalText writes the ID as JSON has it.
func (p RecordID) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads it.
func (p *RecordID) UnmarshalText(text []byte) (err error) {
	*p, err = ParseRecordID(string(text))
	return err
}

// idArrays has IDs as arrays.
func idArrays(ids []RecordID) (topics []string, partitions []int32, offsets []int64) {
	for _, p := range ids {
		topics, partitions, offsets = append(topics, p.Topic), append(partitions, p.Partition), append(offsets, p.Offset)
	}
	return topics, partitions, offsets
}
