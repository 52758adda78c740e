package strictjson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"allocation/domain/strictjson"
)

type member struct{ name, raw string }

func parse(data string) (members []member, err error) {
	err = strictjson.Parse([]byte(data), func(name []byte, value strictjson.Value) error {
		members = append(members, member{string(name), string(value.Raw())})
		return nil
	})
	return members, err
}

func TestParse(t *testing.T) {
	for data, want := range map[string][]member{
		`{}`:                            nil,
		" \t\r\n{ } \n":                 nil,
		`{"a":1}`:                       {{"a", "1"}},
		`{ "a" : -1.5e3 , "b" : null }`: {{"a", "-1.5e3"}, {"b", "null"}},
		`{"a":true,"A":false}`:          {{"a", "true"}, {"A", "false"}},
		`{"":"x,}\"]\\"}`:               {{"", `"x,}\"]\\"`}},
		`{"a":{"a":[1,"}",{"a":2,"a":3}]},"b":[]}`: {{"a", `{"a":[1,"}",{"a":2,"a":3}]}`}, {"b", "[]"}},
		`{"\u0061\ud83d\ude00":"\ud83d\ude00"}`:    {{"a😀", `"\ud83d\ude00"`}},
		`{"a":"\\ud800"}`:                          {{"a", `"\\ud800"`}},
	} {
		members, err := parse(data)
		require.NoError(t, err, data)
		require.Equal(t, want, members, data)
	}
}

func TestParse_refuses(t *testing.T) {
	for data, says := range map[string]string{
		``:                         "empty",
		` `:                        "not valid JSON",
		`"a"`:                      "not a JSON object",
		`null`:                     "not a JSON object",
		`[]`:                       "not a JSON object",
		`{}{}`:                     "not valid JSON",
		`{"a":1}x`:                 "not valid JSON",
		`{"a":01}`:                 "not valid JSON",
		`{"a":+1}`:                 "not valid JSON",
		`{'a':1}`:                  "not valid JSON",
		"\ufeff{}":                 "not valid JSON",
		"{\"a\":\"\n\"}":           "not valid JSON",
		"{\"a\":\"\xc3\"}":         "not valid UTF-8",
		"{\"a\":\"\xed\xa0\x80\"}": "not valid UTF-8",
		`{"a":1,"a":1}`:            `the name "a" occurs twice`,
		`{"a":1,"\u0061":1}`:       `the name "a" occurs twice`,
		`{"a":"\ud800"}`:           "surrogate",
		`{"a":"\ud800\u0041"}`:     "surrogate",
		`{"a":"\ud800\ud800"}`:     "surrogate",
		`{"a":"\udc00\ud800"}`:     "surrogate",
		`{"a":"\udc00\udc00"}`:     "surrogate",
		`{"a":"\uDFFF"}`:           "surrogate",
		`{"a":[{"\ud800x":1}]}`:    "surrogate",
		`{"a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`: "depth",
	} {
		_, err := parse(data)
		require.ErrorContains(t, err, says, data[:min(len(data), 50)])
		require.Less(t, len(err.Error()), 200)
	}
}

func TestParse_manyNames(t *testing.T) {
	var data strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&data, `"%d":%d,`, i, i)
	}
	members, err := parse("{" + data.String() + `"x":0}`)
	require.NoError(t, err)
	require.Len(t, members, 50_001)
	_, err = parse("{" + data.String() + `"49999":0}`)
	require.ErrorContains(t, err, "twice")
	_, err = parse(`{"` + strings.Repeat("é", 1000) + `":0,"` + strings.Repeat("é", 1000) + `":0}`)
	require.ErrorContains(t, err, "…\" occurs twice")
}

func TestParse_returnsTheVisitorsError(t *testing.T) {
	stop := errors.New("stop")
	err := strictjson.Parse([]byte(`{"a":1,"b":2}`), func([]byte, strictjson.Value) error { return stop })
	require.Equal(t, stop, err)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":"x\u0041\ud83d\ude00","c":{"d":[1,2,{}]},"e":null,"f":true}`))
	f.Add([]byte(`{"a":"\ud800"}`))
	f.Add([]byte(` {"a" : [ "}" , "\"" ] } `))
	f.Add([]byte(`{"a":1,"\u0061":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		want := map[string]json.RawMessage{}
		known := json.Unmarshal(data, &want)
		got := map[string]json.RawMessage{}
		err := strictjson.Parse(data, func(name []byte, value strictjson.Value) error {
			require.True(t, utf8.Valid(name))
			require.NotEqual(t, strictjson.None, value.Kind())
			require.True(t, utf8.ValidString(value.Text()))
			_, _ = value.Int64()
			got[string(name)] = value.Raw()
			return nil
		})
		if err != nil {
			return
		}
		require.NoError(t, known)
		require.Equal(t, want, got)
	})
}
