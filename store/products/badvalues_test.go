package products

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/outbox"
	"allocation/worker"
)

// probe is a command, and what the specification says becomes of it.
type probe struct {
	name    string
	before  []worker.Command // what it builds on
	command worker.Command
	refused string // the reason; empty where it is applied
	says    string // what the message to people must name
	events  []string
}

// Every value that a field must not have is a dead letter with the right reason, which names the
// field; every other one is applied.
func TestApply_refusesBadValues(t *testing.T) {
	b := setup(t, 1)
	probes := fieldProbes()
	t.Logf("%d probes", len(probes))
	var commands []worker.Command
	at := make([]int64, len(probes))
	for i, p := range probes {
		commands = append(commands, p.before...)
		at[i] = int64(len(commands))
		commands = append(commands, p.command)
	}
	rows := map[int64][]outbox.Row{}
	for len(commands) > 0 {
		n := min(1000, len(commands))
		for _, r := range b.Do(commands[:n]...).Rows[0] {
			rows[r.Offset] = append(rows[r.Offset], r)
		}
		commands = commands[n:]
	}
	for i, p := range probes {
		p.check(t, rows[at[i]])
	}
}

func (p probe) check(t *testing.T, rows []outbox.Row) {
	t.Helper()
	var events []string
	var letter *outbox.DeadLetter
	for _, r := range rows {
		if r.DeadLetter != nil {
			letter = r.DeadLetter
		} else {
			events = append(events, r.Type)
		}
	}
	require.Equal(t, p.events, events, p.name)
	if p.refused == "" {
		require.Nil(t, letter, p.name)
		return
	}
	require.NotNil(t, letter, p.name)
	require.Equal(t, p.refused, letter.Reason, p.name)
	require.Contains(t, letter.Message, p.says, p.name)
	require.NotEmpty(t, letter.Message, p.name)
	require.LessOrEqual(t, len(letter.Message), 1000, p.name)
	require.Equal(t, p.command.Value, letter.Value, p.name)
}

// field is a field of a command: what it may hold, and what it may not.
type field struct {
	name     string
	usual    string // in JSON; %d is the probe's number
	optional bool
	good     []string
	bad      []string
}

// wrongTypes are values of each type but strings and numbers.
var wrongTypes = []string{`true`, `false`, `{}`, `{"x":1}`, `[]`, `["x"]`}

var (
	notStrings = append([]string{`7`, `0`, `-1.5`}, wrongTypes...)
	notNumbers = append([]string{`"7"`, `""`}, wrongTypes...)
)

func identifier(name, usual string, optional bool) field {
	const number = 4 // digits
	pad := func(bytes int) string { return `"%d` + strings.Repeat("x", bytes-number) + `"` }
	return field{
		name: name, usual: `"` + usual + `%d"`, optional: optional,
		good: []string{
			pad(254), pad(255), `"%c"`, `"%d ~\u0020\u007e\u00a0"`, `"%dé😀\ud83d\ude00"`, `"%d\"\\\/"`,
			`"%d-` + strings.Repeat("é", 125) + `"`, // 255 bytes
		},
		bad: append([]string{
			`""`, pad(256), pad(1000), `"%d-` + strings.Repeat("é", 125) + `z"`, // 256 bytes
			`"a\u0000b"`, `"\u0000"`, `"\u0001"`, `"a\n"`, `"\t"`, `"\u001f"`, `"\u007f"`, "\"\x7f\"", `"\u0080"`, "\"\u0085\"", `"a\u009f"`,
		}, notStrings...),
	}
}

func quantity(name string, least int) field {
	return field{
		name: name, usual: `7`,
		good: []string{strconv.Itoa(least), `1`, `2`, `999999999`, `1000000000`},
		bad: append([]string{
			strconv.Itoa(least - 1), `-1`, `-1000000000`, `1000000001`, `9223372036854775807`, `9223372036854775808`, `-9223372036854775809`,
			`99999999999999999999999999`, `1.0`, `1.5`, `0.1`, `1e2`, `1E2`, `1e0`, `1e-1`, `10e400`, `1` + strings.Repeat("0", 400),
		}, notNumbers...),
	}
}

func date() field {
	return field{
		name: "eta", usual: `"2030-01-01"`, optional: true,
		good: []string{`"2028-02-29"`, `"2000-02-29"`, `"0001-01-01"`, `"9999-12-31"`, `"2030-0\u0031-31"`},
		bad: append([]string{
			`""`, `"2030-02-29"`, `"1900-02-29"`, `"2030-13-01"`, `"2030-00-01"`, `"2030-01-00"`, `"2030-04-31"`, `"2030-1-01"`, `"2030-01-1"`, `"30-01-01"`,
			`"20300101"`, `"2030/01/01"`, `"2030-01-01T00:00:00Z"`, `" 2030-01-01"`, `"2030-01-01 "`, `"-2030-01-01"`, `"+2030-01-01"`, `"10000-01-01"`,
			`"0000-01-01"`, `"tomorrow"`, `"２０３０-01-01"`,
		}, notStrings...),
	}
}

func revision() field {
	return field{
		name: "revision", usual: `1`, optional: true,
		good: []string{`0`, `1`, `9223372036854775807`},
		bad:  append([]string{`-1`, `9223372036854775808`, `18446744073709551616`, `1.0`, `1e3`}, notNumbers...),
	}
}

// commandForm is a command: its fields, what it builds on, and what it does when it is good.
type commandForm struct {
	commandType string
	fields      []field
	before      func(values map[string]string) []worker.Command
	events      []string
}

func commandForms() []commandForm {
	line := []field{identifier("orderid", "o", false), identifier("sku", "s", false), identifier("lineid", "l", true)}
	return []commandForm{
		{
			"CreateBatch", []field{identifier("ref", "b", false), identifier("sku", "s", false), quantity("qty", 0), date()},
			func(map[string]string) []worker.Command { return nil }, []string{"BatchCreated"},
		},
		{
			"ChangeBatchQuantity", []field{identifier("batchref", "b", false), quantity("qty", 0), identifier("sku", "s", true), revision()},
			aBatch, []string{"BatchQuantityChanged"},
		},
		{
			"ChangeBatchEta", []field{identifier("batchref", "b", false), date(), identifier("sku", "s", true)},
			aBatch, []string{"BatchEtaChanged"},
		},
		{"Allocate", append([]field{quantity("qty", 1)}, line...), aBatch, []string{"Allocated"}},
		{"Deallocate", line, aLine, []string{"Deallocated"}},
		{"Dispatch", line, aLine, []string{"Dispatched"}},
	}
}

// aBatch makes the batch that a command names, or one of the product that it names.
func aBatch(values map[string]string) []worker.Command {
	ref, eta := values["batchref"], ""
	if ref == "" {
		ref = values["batch"]
	} else {
		eta = `,"eta":"2031-05-05"`
	}
	return []worker.Command{command(0, "CreateBatch", `{"ref":%s,"sku":%s,"qty":1000000000%s}`, ref, values["sku"], eta)}
}

// aLine makes the order line that a command names, allocated to a batch in the warehouse.
func aLine(values map[string]string) []worker.Command {
	line := fmt.Sprintf(`{"orderid":%s,"sku":%s,"qty":1,"lineid":%s}`, values["orderid"], values["sku"], values["lineid"])
	return append(aBatch(values), command(0, "Allocate", "%s", line))
}

// fieldProbes are all commands with all values of each field, the others as usual.
func fieldProbes() (probes []probe) {
	for _, form := range commandForms() {
		for _, f := range form.fields {
			add := func(value, refused, says string) {
				probes = append(probes, form.probe(1000+len(probes), f, value, refused, says))
			}
			for _, value := range f.good {
				add(value, "", "")
			}
			for _, value := range append(f.bad, "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xe2\x82\"", `"\ud800"`, `"\udc00\ud800"`) {
				add(value, "malformed", saysOf(f, value))
			}
			for _, notJSON := range []string{`07`, `+7`, `.5`, `1.`, `0x7`, `NaN`, `undefined`, `'x'`, `"a`, `"\x"`, "\"a\nb\"", ``} {
				add(notJSON, "malformed", "JSON")
			}
			add(f.usual+`,"`+f.name+`":`+f.usual, "malformed", f.name)
			add(missing, reasonUnless(f.optional), f.name)
			add(`null`, reasonUnless(f.optional), f.name)
		}
	}
	return probes
}

// missing stands for a field that is not there.
const missing = "missing"

func reasonUnless(allowed bool) string {
	if allowed {
		return ""
	}
	return "malformed"
}

// saysOf is what a message must name: the field, unless the text as a whole cannot be read.
func saysOf(f field, value string) string {
	switch {
	case strings.Contains(value, "\xff"), strings.Contains(value, "\xc0"), strings.Contains(value, "\xed\xa0"), value == "\"\xe2\x82\"":
		return "UTF-8"
	case strings.Contains(value, `\ud8`) && !strings.Contains(value, `\ude`):
		return "surrogate"
	}
	return `"` + f.name + `"`
}

// probe is the command with one value.
func (form commandForm) probe(number int, probed field, value, refused, says string) probe {
	values := map[string]string{"batch": fill(`"batch%d"`, number), "sku": fill(`"s%d"`, number), "lineid": `null`}
	var members []string
	for _, f := range form.fields {
		usual := fill(f.usual, number)
		text := usual
		if f.name == probed.name {
			text = fill(value, number)
		}
		if value != missing || f.name != probed.name {
			members = append(members, fmt.Sprintf(`"%s":%s`, f.name, text))
		}
		if refused != "" || f.name != "lineid" && (text == missing || text == `null`) {
			text = usual
		}
		if text != missing {
			values[f.name] = text
		}
	}
	p := probe{
		name: fmt.Sprintf("%s.%s = %.60s", form.commandType, probed.name, value), before: form.before(values),
		command: command(0, form.commandType, "{%s}", strings.Join(members, ",")), refused: refused, says: says,
	}
	if refused == "" {
		p.events = form.events
	}
	return p
}

// fill puts the probe's number into a value, or a letter of its own where one byte is all there is.
func fill(text string, number int) string {
	text = strings.ReplaceAll(text, "%d", strconv.Itoa(number))
	return strings.ReplaceAll(text, "%c", string(rune('A'+number%26)))
}
