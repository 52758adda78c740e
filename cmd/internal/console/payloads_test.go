package console

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

func TestPayloads(t *testing.T) {
	t.Parallel()
	const message = `{"orderid":"o1","qty":20,"a\"b":"c\":d","list":["Zoë",null]}`
	require.JSONEq(t, message, PayloadsFull.Show([]byte(message)))
	require.Equal(t, "{\n  \"orderid\": \"x0\",\n  \"qty\": 00,\n  \"x\\\"x\": \"x\\\":x\",\n  \"list\": [\n    \"xxx\",\n    xxxx\n  ]\n}", PayloadsMasked.Show([]byte(message)))
	require.Equal(t, "{\n  \"x\\\\x\": 00000,\n  \":b\": 0\n}", PayloadsMasked.Show([]byte(`{"a\\b":12345,":b":1}`)), "a number between odd names")
	require.Equal(t, `xxxxxx "xxx": 00`, PayloadsMasked.Show([]byte(`secret "foo": 12`)), "what is no JSON has no names of fields")
	require.Equal(t, "(7 bytes; the console shows no content of messages)", PayloadsNone.Show([]byte(`{"a":1}`)))
	require.Contains(t, PayloadsFull.Show([]byte(strings.Repeat("a", maxPayload+7))), "… and 7 bytes more")
	require.Equal(t, `"\xff\x00"`, PayloadsFull.Show([]byte{0xff, 0}))
}

// Of a message that is masked, only the names of fields have letters and digits of their own.
func TestPayloads_maskAllValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		odd := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune(`":\{}[], aé1²`)), 0, 8, -1))
		value, other := odd.Draw(t, "value"), odd.Draw(t, "other")
		names := rapid.SliceOfNDistinct(rapid.StringOfN(rapid.RuneFrom([]rune(`:\"{ ,`)), 0, 6, -1), 3, 3, rapid.ID).Draw(t, "names") // without letters
		content, err := json.Marshal(map[string]any{names[0]: value, names[1]: []any{other, true}, names[2]: rapid.Int().Draw(t, "n")})
		require.NoError(t, err)
		requireMasked(t, content)
		requireMasked(t, rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
	})
	rapid.Check(t, func(t *rapid.T) {
		content, err := json.Marshal(map[string]any{"name": rapid.String().Draw(t, "value")})
		require.NoError(t, err)
		require.Contains(t, PayloadsMasked.Show(content), `"name":`)
	})
}

func requireMasked(t *rapid.T, content []byte) {
	for _, r := range PayloadsMasked.Show(content) {
		require.False(t, unicode.IsLetter(r) && r != 'x' || unicode.IsNumber(r) && r != '0', "%q of %q", r, content)
	}
}

// A small message that nests deep does not become a large page.
func TestPayloads_deepMessagesStaySmall(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)
	for _, p := range []Payloads{PayloadsFull, PayloadsMasked} {
		require.Equal(t, deep, p.Show([]byte(deep)))
	}
}

// Headers are content, too, but for those that name a message.
func TestPayloads_maskHeaders(t *testing.T) {
	t.Parallel()
	c := &Console{Options: Options{Payloads: PayloadsMasked}}
	r := c.recordOf(&kgo.Record{Value: []byte("{}"), Headers: []kgo.RecordHeader{{Key: "ce_id", Value: []byte("cmd-7")}, {Key: "customer", Value: []byte("Zoe 7")}}})
	require.Equal(t, "cmd-7", *r.Headers[0].Value.Text)
	require.Equal(t, "xxx 0", *r.Headers[1].Value.Text)
	require.Nil(t, r.Headers[1].Value.Base64)
}
