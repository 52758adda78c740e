package worker

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
)

const aTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// envelope makes a record of headers, key and value by turns.
func envelope(value string, headers ...string) *kgo.Record {
	r := &kgo.Record{Value: []byte(value), Timestamp: time.UnixMilli(1)}
	for i := 0; i < len(headers); i += 2 {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: headers[i], Value: []byte(headers[i+1])})
	}
	return r
}

const testPrefix = "counters.v1."

func decoded(r *kgo.Record, mapped string) Command {
	return decode(r, &Topic{Prefix: testPrefix, Type: mapped}, &outbox.Cause{})
}

func TestDecode_findsTheType(t *testing.T) {
	t.Parallel()
	const event = `{"specversion":"1.0","type":"counters.v1.Add","data":{"a":1}}`
	for name, c := range map[string]struct {
		record             *kgo.Record
		mapped, want, data string
	}{
		"structured":                         {envelope(event, "content-type", "application/cloudevents+json"), "", "Add", `{"a":1}`},
		"structured before binary":           {envelope(event, "ce_type", "x", "content-type", "Application/CloudEvents+Json; charset=utf-8"), "", "Add", `{"a":1}`},
		"structured before the mapping":      {envelope(event, "content-type", "application/cloudevents+json"), "Make", "Add", `{"a":1}`},
		"binary":                             {envelope(`{}`, "ce_type", "counters.v1.Make"), "", "Make", `{}`},
		"binary before the mapping":          {envelope(`{}`, "ce_type", "counters.v1.Make"), "Add", "Make", `{}`},
		"the last of a repeated header":      {envelope(`{}`, "ce_type", "x", "ce_type", "counters.v1.Make"), "", "Make", `{}`},
		"the mapping":                        {envelope(`{}`), "Add", "Add", `{}`},
		"the mapping, as ce_type is invalid": {envelope(`{}`, "ce_type", "\xff"), "Add", "Add", `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := decoded(c.record, c.mapped)
			require.Nil(t, got.Refusal)
			require.Equal(t, c.want, got.Type)
			require.Equal(t, c.data, string(got.Data))
		})
	}
}

func TestDecode_readsBase64(t *testing.T) {
	t.Parallel()
	data := base64.StdEncoding.EncodeToString([]byte(`{"a":1}`))
	got := decoded(envelope(`{"specversion":"1.0","type":"counters.v1.Add","data_base64":"`+data+`"}`, "content-type", "application/cloudevents+json"), "")
	require.Nil(t, got.Refusal)
	require.Equal(t, `{"a":1}`, string(got.Data))
}

func TestDecode_keepsTheCause(t *testing.T) {
	t.Parallel()
	want := outbox.Cause{Time: 1, CommandID: "id", CorrelationID: "c", TraceParent: aTrace, TraceState: "a=b"}
	binary := envelope(`{}`, "ce_type", "counters.v1.Add", "ce_id", "id", "ce_correlationid", "c", "traceparent", aTrace, "tracestate", "a=b")
	require.Equal(t, want, *decoded(binary, "").Cause)
	structured := envelope(`{"specversion":"1.0","type":"counters.v1.Add","id":"id","correlationid":"c","traceparent":"`+aTrace+`","tracestate":"a=b","data":{}}`,
		"content-type", "application/cloudevents+json")
	require.Equal(t, want, *decoded(structured, "").Cause)
}

func TestDecode_leavesOutWhatIsNotWellFormed(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 256)
	for _, value := range []string{"", "a\x00", "\n", "\u0085", "\xff", long} {
		got := decoded(envelope(`{}`, "ce_id", value, "ce_correlationid", value), "Add")
		require.Nil(t, got.Refusal, "%q", value)
		require.Equal(t, outbox.Cause{Time: 1}, *got.Cause, "%q", value)
	}
	for _, parent := range []string{
		"", "x", strings.ToUpper(aTrace), aTrace + "-x", "ff" + aTrace[2:], "00-" + strings.Repeat("0", 32) + aTrace[35:], aTrace[:36] + strings.Repeat("0", 16) + "-01", aTrace + "\x00",
	} {
		got := decoded(envelope(`{}`, "traceparent", parent, "tracestate", "a=b"), "Add")
		require.Equal(t, outbox.Cause{Time: 1}, *got.Cause, "%q", parent)
	}
	got := decoded(envelope(`{}`, "traceparent", aTrace, "tracestate", "\x00"), "Add")
	require.Equal(t, outbox.Cause{Time: 1, TraceParent: aTrace}, *got.Cause)
}

// FuzzDecode checks that whatever comes is either a command or a refusal that says why, and that
// what is kept of it is text that headers and the database can hold.
func FuzzDecode(f *testing.F) {
	f.Add("", "counters.v1.Add", "id", aTrace, "", []byte(`{}`))
	f.Add("application/cloudevents+json; charset=utf-8", "", "\x00", "", "Add", []byte(`{"specversion":"1.0","type":"counters.v1.Add","id":"1","data":{"n":1}}`))
	f.Add("application/cloudevents+json", "", "", "", "", []byte(`{"specversion":"1.0","type":"counters.v1.\u0000","id":"\u0000","traceparent":7,"data_base64":"e30="}`))
	f.Add("APPLICATION/CLOUDEVENTS-batch+json", "x", "", "", "", []byte(`[]`))
	f.Add("text/plain", "", "", "", "AddTo", []byte(nil))
	f.Fuzz(func(t *testing.T, contentType, kind, id, trace, mapped string, value []byte) {
		r := envelope("", "content-type", contentType, "ce_type", kind, "ce_id", id, "ce_correlationid", id, "traceparent", trace, "tracestate", id)
		r.Value = value
		c := decoded(r, mapped)
		require.Equal(t, value, c.Value)
		for _, text := range []string{c.Cause.CommandID, c.Cause.CorrelationID, c.Cause.TraceParent, c.Cause.TraceState} {
			requireText(t, text, 512)
		}
		if c.Refusal != nil {
			require.Contains(t, []string{"malformed", "unknown_type"}, c.Refusal.Reason)
			require.NotEmpty(t, c.Refusal.Message)
			require.True(t, utf8.ValidString(c.Refusal.Message))
			require.NotContains(t, c.Refusal.Message, "\x00")
			require.Less(t, len(c.Refusal.Message), 2000)
			return
		}
		require.NotEmpty(t, c.Type+mapped)
		if c.Type != mapped {
			requireText(t, c.Type, 255)
		}
		if isCloudEvents(contentType) {
			requireEvent(t, value, c)
		}
	})
}

func requireText(t *testing.T, s string, most int) {
	t.Helper()
	require.True(t, len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl), "%q", s)
}

// requireEvent reads a structured command again, by the standard library.
func requireEvent(t *testing.T, value []byte, c Command) {
	t.Helper()
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(value, &members))
	var version, kind string
	require.NoError(t, json.Unmarshal(members["specversion"], &version))
	require.NoError(t, json.Unmarshal(members["type"], &kind))
	require.Equal(t, "1.0", version)
	require.Equal(t, testPrefix+c.Type, kind)
	if data, ok := members["data"]; ok && string(data) != "null" {
		require.Equal(t, string(data), string(c.Data))
		return
	}
	var data []byte
	require.NoError(t, json.Unmarshal(members["data_base64"], &data))
	require.Equal(t, string(data), string(c.Data))
}

// Of what another service publishes, some types are taken; all others are ignored, also where they
// could not be read.
func TestDecode_ignoresTypesThatAreNotTaken(t *testing.T) {
	t.Parallel()
	facts := &Topic{Prefix: "stock.v1.", Takes: []string{"Counted"}}
	structured := func(kind string) *kgo.Record {
		return envelope(`{"specversion":"1.0","type":"`+kind+`"}`, "content-type", "application/cloudevents+json")
	}
	for name, c := range map[string]struct {
		record  *kgo.Record
		ignored bool
		taken   string
		reason  string
	}{
		"taken":                        {record: envelope(`{}`, "ce_type", "stock.v1.Counted"), taken: "Counted"},
		"another type":                 {record: envelope(`{}`, "ce_type", "stock.v1.Moved"), ignored: true},
		"another prefix":               {record: envelope(`{}`, "ce_type", "stock.v2.Counted"), ignored: true},
		"another type, structured":     {record: structured("stock.v1.Moved"), ignored: true},
		"taken, and without its data":  {record: structured("stock.v1.Counted"), reason: reasonMalformed},
		"without a type it is no fact": {record: envelope(`{}`), reason: reasonMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			got := decode(c.record, facts, &outbox.Cause{})
			require.Equal(t, c.ignored, got.Ignored)
			require.Equal(t, c.taken, got.Type)
			if c.reason == "" {
				require.Nil(t, got.Refusal)
			} else {
				require.Equal(t, c.reason, got.Refusal.Reason)
			}
		})
	}
}
