package strictjson

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]bool{
		`{}`: true, ` { } `: true, `{"a":1}`: true, `{ "a" : -12 , "b" : null,"c":"x" }`: true, `{"a":0,"b":"é"}`: true,
		`{"a":1.0}`: false, `{"a":1e3}`: false, `{"a":01}`: false, `{"a":-}`: false, `{"a":-01}`: false, `{"a":true}`: false, `{"a":{}}`: false,
		`{"a":"\n"}`: false, "{\"a\":\"\n\"}": false, `{"a":1,}`: false, `{,}`: false, `{"a"}`: false, `{"a":}`: false, `{"a":1`: false, `{"a`: false,
		`{"a":1}{}`: false, `[]`: false, ``: false, `{"a":nul}`: false, `{"a":nullx}`: false, `{"a":1 2}`: false, `{a:1}`: false,
	} {
		require.Equal(t, want, plain([]byte(data)), data)
	}
}

// What is plain is valid.
func FuzzPlain(f *testing.F) {
	f.Add([]byte(`{ "a" : -12 , "b" : null,"c":"x" }`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if plain(data) {
			require.True(t, json.Valid(data), "%q", data)
		}
	})
}
