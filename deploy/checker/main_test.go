package checker

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// recorded is the history of a real run, with workers killed in it: the end-to-end tests write it
// where E2E_RECORD says.
func recorded(t *testing.T) *History {
	t.Helper()
	file, err := os.Open("testdata/history.json.gz")
	require.NoError(t, err)
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	require.NoError(t, err)
	h := &History{}
	require.NoError(t, json.NewDecoder(unzipped).Decode(h))
	return h
}
