package strictjson_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/strictjson"
)

func value(t *testing.T, text string) (v strictjson.Value) {
	t.Helper()
	require.NoError(t, strictjson.Parse([]byte(`{"v":`+text+`}`), func(_ []byte, value strictjson.Value) error {
		v = value
		return nil
	}))
	return v
}

func TestValue_kinds(t *testing.T) {
	require.Equal(t, strictjson.None, strictjson.Value{}.Kind())
	for text, kind := range map[string]strictjson.Kind{
		`null`: strictjson.Null, `true`: strictjson.Bool, `false`: strictjson.Bool, `-1`: strictjson.Number,
		`0`: strictjson.Number, `""`: strictjson.String, `[]`: strictjson.Array, `{}`: strictjson.Object,
	} {
		require.Equal(t, kind, value(t, text).Kind(), text)
	}
}

func TestValue_text(t *testing.T) {
	require.Equal(t, "", strictjson.Value{}.Text())
	for text, want := range map[string]string{
		`""`: "", `"é"`: "é", `"\u00e9\n\"\/\ud83d\ude00"`: "é\n\"/😀", `1`: "", `["x"]`: "",
	} {
		require.Equal(t, want, value(t, text).Text(), text)
	}
}

func TestValue_int64(t *testing.T) {
	for text, want := range map[string]int64{
		`0`: 0, `-1`: -1, `9223372036854775807`: math.MaxInt64, `-9223372036854775808`: math.MinInt64,
	} {
		got, err := value(t, text).Int64()
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for text, want := range map[string]error{
		`1.0`: strictjson.ErrNotInteger, `1e3`: strictjson.ErrNotInteger, `1E3`: strictjson.ErrNotInteger,
		`-0`: strictjson.ErrNotInteger, `"1"`: strictjson.ErrNotInteger, `null`: strictjson.ErrNotInteger,
		`9223372036854775808`: strictjson.ErrRange, `-9223372036854775809`: strictjson.ErrRange,
	} {
		_, err := value(t, text).Int64()
		require.ErrorIs(t, err, want, text)
	}
	_, err := strictjson.Value{}.Int64()
	require.ErrorIs(t, err, strictjson.ErrNotInteger)
}
