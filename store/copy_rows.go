package store

import (
	"encoding/binary"
	"time"
)

// CopyRows writes rows in the binary format of COPY: see "Binary Format" of Postgres' page on COPY.
// Each row has all columns, in order. They go in messages, each of whole rows.
type CopyRows struct {
	buf     []byte
	columns int
	took    func(buf []byte) bool // is asked between messages whether it took what there is
	message int                   // where in buf the message's length is
}

// begin writes the signature, no flags, and no extension.
func (r *CopyRows) begin() {
	r.beginMessage()
	r.buf = append(r.buf, "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
}

// end writes the mark that no row follows.
func (r *CopyRows) end() {
	r.buf = append(r.buf, 0xff, 0xff)
	r.endMessage()
}

// maxMessage is how large a message may be before the next row goes into another one.
const maxMessage = 64 << 10

// Row begins a row.
func (r *CopyRows) Row() {
	if len(r.buf)-r.message > maxMessage {
		r.endMessage()
		if r.took(r.buf) {
			r.buf = r.buf[:0]
		}
		r.beginMessage()
	}
	r.buf = binary.BigEndian.AppendUint16(r.buf, uint16(r.columns)) //nolint:gosec // a few
}

func (r *CopyRows) beginMessage() {
	r.message = len(r.buf) + 1
	r.buf = append(r.buf, 'd', 0, 0, 0, 0)
}

func (r *CopyRows) endMessage() {
	binary.BigEndian.PutUint32(r.buf[r.message:], uint32(len(r.buf)-r.message)) //nolint:gosec // one row may exceed maxMessage, by what a record may have
}

func (r *CopyRows) null() { r.buf = append(r.buf, 0xff, 0xff, 0xff, 0xff) }

func (r *CopyRows) nulls(n int) {
	for range n {
		r.null()
	}
}

// Text writes a column of type text.
func (r *CopyRows) Text(s string) {
	r.length(len(s))
	r.buf = append(r.buf, s...)
}

// Optional is null where the text is empty.
func (r *CopyRows) Optional(s string) {
	if s == "" {
		r.null()
		return
	}
	r.Text(s)
}

// Bytes writes a column of type bytea.
func (r *CopyRows) Bytes(b []byte) {
	r.length(len(b))
	r.buf = append(r.buf, b...)
}

// Int32 writes a column of type integer.
func (r *CopyRows) Int32(n int32) {
	r.length(4)
	r.buf = binary.BigEndian.AppendUint32(r.buf, uint32(n)) //nolint:gosec // its bits
}

// Int64 writes a column of type bigint.
func (r *CopyRows) Int64(n int64) {
	r.length(8)
	r.buf = binary.BigEndian.AppendUint64(r.buf, uint64(n)) //nolint:gosec // its bits
}

func (r *CopyRows) length(n int) { r.buf = binary.BigEndian.AppendUint32(r.buf, uint32(n)) } //nolint:gosec // checked as a whole

// Ref writes a reference: its source, its row and its day.
func (r *CopyRows) Ref(ref Ref) {
	r.Int32(ref.Source)
	r.Int64(ref.Row)
	r.day(ref.day)
}

func (r *CopyRows) day(d day) { r.Int32(int32(d)) }

// day is a date as Postgres counts it.
type day int32

// firstDay is day 0.
var firstDay = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// String is the day as Postgres writes it.
func (d day) String() string { return firstDay.AddDate(0, 0, int(d)).Format(time.DateOnly) }

func dayOf(t time.Time) day { return day(t.UTC().Sub(firstDay) / (24 * time.Hour)) } //nolint:gosec // of this age
