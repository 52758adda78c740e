package incident_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/incident"
	"allocation/domain/product"
)

type buffer = bytes.Buffer

func plainEncoder(out io.Writer) *json.Encoder {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	return e
}

func jsonOf(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

func fieldsOf(data []byte) (fields map[string]any) {
	if err := json.Unmarshal(data, &fields); err != nil {
		panic(err)
	}
	return fields
}

func clone[T any](t require.TestingT, v *T) *T {
	own := new(T)
	require.NoError(t, json.Unmarshal(jsonOf(v), own))
	return own
}

func requireNoDifference(t require.TestingT, file []byte, version int64) {
	c := &incident.Checker{}
	require.NoError(t, c.Check(bytes.NewReader(file)), "%s", file)
	require.Equal(t, version, c.Replay.Version())
}

const small = `{"format":"allocation.incident.v1","products":[{"sku":"S","version":2,"start":{"version":0,"batches":[],"lines":[]},"commands":[
{"type":"CreateBatch","data":{"ref":"b","sku":"S","qty":5},"position":"t.0.0","result":"changed","events":[{"type":"BatchCreated","sequence":1,"data":{"ref":"b","sku":"S","qty":5}}]},
{"type":"Allocate","data":{"orderid":"o","sku":"S","qty":2},"position":"t.0.1","id":"c2","result":"changed","events":[{"type":"Allocated","sequence":2,"data":{"qty":2,"orderid":"o","sku":"S","batchref":"b"}}]},
{"type":"Allocate","data":{"orderid":"o","sku":"S","qty":2},"position":"t.0.2","result":"no_effect"},
{"type":"Dispatch","data":{"orderid":"x","sku":"S"},"position":"t.0.3","result":"refused","reason":"unknown_line"}]}]}`

const start = `"start":{"version":0,"batches":[],"lines":[]}`

// startAt is a start at a version, with waiting lines.
func startAt(version string, lines ...string) string {
	for i, line := range lines {
		lines[i] = `{"state":"waiting","qty":1,` + line + `}`
	}
	return `"start":{"version":` + version + `,"batches":[],"lines":[` + strings.Join(lines, ",") + `]}`
}

// last is the data of the last command, and lastWith another one with a batch of another product.
const last = `"type":"Dispatch","data":{"orderid":"x","sku":"S"}`

func lastWith(ref, other string) string {
	return `"type":"ChangeBatchEta","data":{"batchref":"` + ref + `","sku":"S"},"other_batch":` + other
}

func check(text string) error { return (&incident.Checker{}).Check(strings.NewReader(text)) }

// An error says which field, and what it is.
func TestRead_namesTheFieldAndTheValue(t *testing.T) {
	t.Parallel()
	require.NoError(t, check(small))
	for _, c := range []struct{ old, new, says string }{
		{`"sequence":2`, `"sequence":"two"`, `products[0].commands[1].events.sequence is "two"; it must be an integer`},
		{`"sequence":2`, `"sequence":2.5`, `products[0].commands[1].events.sequence is 2.5; it must be an integer`},
		{`"position":"t.0.1"`, `"position":17`, `products[0].commands[1].position is 17; it must be a string`},
		{`"result":"no_effect"`, `"result":"perhaps"`, `products[0].commands[2].result is "perhaps"; it must be changed, no_effect or refused`},
		{`,"reason":"unknown_line"`, ``, `products[0].commands[3].reason is missing; a refused command has one`},
		{`"type":"Dispatch",`, ``, `products[0].commands[3].type is missing`},
		{`"batches":[]`, `"batches":[{"ref":"b","qty":-4}]`, `start.batches[0].qty of the batch "b" is -4; it must be from 0 to 1000000000`},
		{`"batches":[]`, `"batches":[{"ref":"b","qty":4,"allocated":3}]`, `start.batches[0].allocated of the batch "b" is 3; its lines add up to 0`},
		{`"batches":[]`, `"batches":[{"ref":"b","eta":"soon"}]`, `start.batches[0].eta of the batch "b" is "soon"; it must be a real date as YYYY-MM-DD`},
		{`"batches":[]`, `"batches":7`, `products[0].start.batches is 7; it must be an array`},
		{`"lines":[]`, `"lines":[{"orderid":"o","state":"lost"}]`, `start.lines[0].state of order "o" is "lost"`},
		{`"lines":[]`, `"lines":[{"orderid":"o","state":"waiting","qty":1,"placed":3}]`, `start.lines[0].placed of order "o" is 3; it must be from 1 to start.version, 0`},
		{`incident.v1`, `incident.v9`, `format is "allocation.incident.v9"; it must be "allocation.incident.v1"`},
		{`"format":"allocation.incident.v1",`, ``, `format is missing; it must be "allocation.incident.v1"`},
		{small, `{"format":"allocation.incident.v1","products":[]}`, `products is empty; there is nothing to replay`},
		{`"version":2`, `"version":3`, `version of the product "S" is 3; its commands lead to 2: commands are missing`},
		{`"commands":[`, `"commands":{`, `products[0].commands is {; it must be an array`},
		{`"result":"no_effect"}`, `"result":"no_effect"`, `it is no JSON behind byte `},
		{`"unknown_line"}]}]}`, `"unknown_line"}`, `before its end: it is cut, or no JSON`},
		{`"batches":[]`, `"batches":[{"ref":"b","first_qty":-1}]`, `start.batches[0].first_qty of the batch "b" is -1; it must be from 0 to 1000000000`},
		{`"batches":[]`, `"batches":[{"ref":"b","revision":-7}]`, `start.batches[0].revision of the batch "b" is -7; it must be 0 or more`},
		{`"batches":[]`, `"batches":[{"ref":"a","sku":"T"}]`, `start.batches[0].sku of the batch "a" is "T"; it must be the product's, "S", or left out`},
		{start, startAt("2", `"orderid":"o","lineid":"l","placed":1`, `"orderid":"o","lineid":"l","placed":2`), `start.lines[1].orderid is "o" and its lineid "l", as another line's are`},
		{start, startAt("2", `"orderid":"o","placed":2`, `"orderid":"p","placed":2`), `start.lines[1].placed of order "p" is 2, as another line's is`},
		{start, startAt("2", `"orderid":"o","placed":2,"batchref":"b"`), `start.lines[0].batchref of order "o" is "b"; a line that is waiting has none`},
		{start, startAt("9223372036854775807"), `start.version is 9223372036854775807; it must be from 0 to 9007199254740992`},
		{start, startAt("-1"), `start.version is -1; it must be from 0 to 9007199254740992`},
		{start, startAt("1"), `products[0].commands[0].events[0].sequence is 1; it must be above 1, that of start.version and of the events before it`},
		{start, startAt("3"), `products[0].version is 2; it must not be below start.version, 3`},
		{`"sequence":2`, `"sequence":1`, `products[0].commands[1].events[0].sequence is 1; it must be above 1`},
		{`"sequence":2`, `"sequence":-2`, `products[0].commands[1].events[0].sequence is -2; it must be from 0 to`},
		{`"version":2`, `"version":-2`, `products[0].version is -2; it must be from 0 to`},
		{`"version":2`, `"left_out":-2`, `products[0].left_out is -2; it must be 0 or more`},
		{last, lastWith("x", `{"ref":"x"}`), `products[0].commands[3].other_batch.sku of the batch "x" is ""; it must be another product's than "S"`},
		{last, lastWith("x", `{"ref":"x","sku":"S"}`), `other_batch.sku of the batch "x" is "S"; it must be another product's than "S"`},
		{last, lastWith("x", `{"ref":"y","sku":"T"}`), `other_batch.ref is "y"; it must be the batch that the command names, "x"`},
		{last, lastWith("b", `{"ref":"b","sku":"T"}`), `other_batch.ref is "b"; it must be no batch of the product "S"`},
		{last, lastWith("x", `{"sku":"T"}`), `products[0].commands[3].other_batch.ref is missing`},
		{last, lastWith("x", `{"ref":"x","sku":"T","qty":-1}`), `products[0].commands[3].other_batch.qty of the batch "x" is -1`},
		{`}]}]}`, `}],"commands":[]}]}`, `products[0].commands is there twice; it must be there once`},
		{`"sku":"S","version"`, `"sku":"S","sku":"S","version"`, `products[0].sku is there twice`},
		{`"products"`, `"format":"allocation.incident.v1","products"`, `format is there twice`},
		{`"batches":[]`, `"batches":[],"batches":[]`, `products[0].start.batches is there twice`},
		{`"type":"Dispatch"`, `"type":"Dispatch","TYPE":"Allocate"`, `products[0].commands[3].TYPE is there twice`},
		{`"sequence":2`, `"other":[{},{"a\"b":[1,-2.5e1],"A\u0022B":0}],"sequence":2`, `products[0].commands[1].events[0].other[1].A"B is there twice`},
		{`"sequence":2`, `"sequence":2,"sequence":3`, `products[0].commands[1].events[0].sequence is there twice`},
		{`"unknown_line"}]}]}`, `"unknown_line"}]}]}{}`, `there is more behind the end of the object`},
		{`"products"`, `"things"`, `it has neither products, as export writes them, nor events`},
	} {
		text := strings.Replace(small, c.old, c.new, 1)
		require.NotEqual(t, small, text)
		require.ErrorContains(t, check(text), c.says)
	}
}

// What a command's data has twice is its decoder's business, and was refused then.
func TestRead_passesTheDataOfARefusedCommand(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer(last, `"type":"Dispatch","data":{"orderid":"x","orderid":[{"a":"]","a":1}, 2], "sku":"S"} `, "unknown_line", "malformed").Replace(small)
	require.NoError(t, check(text))
	require.NoError(t, check(strings.NewReplacer(last, lastWith("x", `{"ref":"x","sku":"T"}`), "unknown_line", "sku_mismatch").Replace(small)))
}

// A file is refused or replayed, and what is accepted of it can be replayed again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(strings.Replace(small, last, lastWith("x", `{"ref":"x","sku":"T"}`), 1)))
	f.Add([]byte(`{"sku":"S","events":[{"type":"BatchCreated","sequence":1,"data":{"ref":"b","sku":"S","qty":5},"command":{"position":"t.0.0"}}]}`))
	files, err := filepath.Glob("testdata/incidents/*.json")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c := &incident.Checker{}
		err := c.Check(bytes.NewReader(text))
		var found *incident.Found
		if err != nil && !errors.As(err, &found) {
			return
		}
		var now bytes.Buffer
		if incident.Accept(bytes.NewReader(text), &now, plainEncoder) == nil {
			require.NoError(t, check(now.String()))
		}
	})
}

// The first difference is shown with what was then and what is now.
func TestCompare_showsTheFirstDifference(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ old, new, says string }{
		{
			`"batchref":"b"}}]`, `"batchref":"a"}}]`, `step 2, command c2 (Allocate {"orderid":"o","sku":"S","qty":2}, t.0.1): the data of its event 1 differs
    then: #2 Allocated {"qty":2,"orderid":"o","sku":"S","batchref":"a"}
    now:  #2 Allocated {"orderid":"o","sku":"S","qty":2,"batchref":"b"}
`,
		},
		{`"sequence":2`, `"sequence":3`, "the sequence of its event 1 differs"},
		{`"type":"Allocated"`, `"type":"OutOfStock"`, "the type of its event 1 differs"},
		{`"qty":5}}]`, `"qty":5},"note":{"more":1}}]`, "step 1, command (without id) (CreateBatch {\"ref\":\"b\",\"sku\":\"S\",\"qty\":5}, t.0.0): the note (why it was so) of its event 1 differs"},
		{`"result":"no_effect"`, `"result":"refused","reason":"line_conflict"`, "step 3, command (without id) (Allocate {\"orderid\":\"o\",\"sku\":\"S\",\"qty\":2}, t.0.2): the result differs\n    then: refused: line_conflict\n    now:  without effect\n"},
		{`"reason":"unknown_line"`, `"reason":"unknown_sku"`, "    then: refused: unknown_sku\n    now:  refused: unknown_line: the line of order \"x\" for the sku \"S\" was never placed\n"},
		{`"result":"no_effect"`, `"result":"changed","events":[{"type":"Allocated","sequence":3,"data":{}}]`, "the existence of its event 1 differs\n    then: #3 Allocated {}\n    now:  no such event\n"},
	} {
		text := strings.Replace(small, c.old, c.new, 1)
		require.NotEqual(t, small, text)
		var found *incident.Found
		err := check(text)
		require.ErrorAs(t, err, &found)
		require.Contains(t, found.String(), c.says)
	}
}

// A note that depended on what was loaded then is not compared.
func TestCompare_passesAPartialNote(t *testing.T) {
	t.Parallel()
	require.NoError(t, check(strings.Replace(small, `"qty":5}}]`, `"qty":5},"note":{"partial":true}}]`, 1)))
}

// Each field that commands and events have is an identifier that is replaced, or is kept on
// purpose.
func TestNames_knowEachField(t *testing.T) {
	t.Parallel()
	for _, kind := range product.Commands {
		data := map[string]any{}
		for _, f := range kind.Fields {
			switch {
			case f.Number:
				data[f.Name] = 1
			case f.Name == "eta":
				data[f.Name] = "2030-01-01"
			default:
				data[f.Name] = "secret"
			}
		}
		c := &incident.Command{Type: kind.Name, Data: jsonOf(data), Position: "t.0.0"}
		require.NoError(t, incident.NewNames([]string{"secret"}).Command(c))
		require.Len(t, fieldsOf(c.Data), len(kind.Fields), kind.Name)
		require.NotContains(t, string(c.Data), "secret")
	}
	for _, name := range product.EventNames() {
		e := product.Event{
			Type: product.EventType(name), SKU: "secret", BatchRef: "secret", Line: product.LineID{SKU: "secret", OrderID: "secret", LineID: "secret"},
			Qty: 1, ETA: "2030-01-01", Revision: 1, Reason: "cancelled",
		}
		c := &incident.Command{Type: "Allocate", Data: []byte(`{}`), Position: "t.0.0"}
		c.Events = []incident.Event{{Type: name, Data: e.AppendData(nil)}}
		require.NoError(t, incident.NewNames([]string{"secret"}).Command(c))
		require.Len(t, fieldsOf(c.Events[0].Data), len(fieldsOf(e.AppendData(nil))), name)
		require.NotContains(t, string(c.Events[0].Data), "secret")
	}
}
