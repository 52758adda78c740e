package incident_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/incident"
)

var accept = flag.Bool("accept", false, "write into the files of testdata/incidents what the rules decide now")

// Each file in testdata/incidents is a test: what was decided then is decided now.
func TestReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/incidents/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			var found *incident.Found
			err = (&incident.Checker{}).Check(bytes.NewReader(text))
			switch {
			case errors.As(err, &found) && *accept:
				acceptNow(t, file, text)
			case errors.As(err, &found):
				t.Fatalf("domain/incident/%s: the rules decide otherwise than then.\n%s\n"+
					"If that is a mistake, mend the rules. If it is meant, have what is decided now written into the files, and look at what changed:\n\n"+
					"    git add domain/incident/testdata && go test ./domain/incident -run Replay -accept && git diff --word-diff domain/incident/testdata\n", file, found)
			case err != nil:
				t.Fatalf("domain/incident/%s cannot be replayed: %v", file, err)
			}
		})
	}
}

func acceptNow(t *testing.T, file string, text []byte) {
	t.Helper()
	var now bytes.Buffer
	require.NoError(t, incident.Accept(bytes.NewReader(text), &now, plainEncoder))
	require.NoError(t, os.WriteFile(file, now.Bytes(), 0o600))
	t.Logf("%s was written anew", file)
}

// What was accepted has no difference any more, and nothing else has changed.
func TestAccept(t *testing.T) {
	t.Parallel()
	otherwise := bytes.Replace([]byte(small), []byte(`"batchref":"b"}}]`), []byte(`"batchref":"a"}}]`), 1)
	var first, second bytes.Buffer
	require.NoError(t, incident.Accept(bytes.NewReader([]byte(small)), &first, plainEncoder))
	require.NoError(t, incident.Accept(bytes.NewReader(otherwise), &second, plainEncoder))
	require.NoError(t, check(first.String()))
	require.Equal(t, first.String(), second.String())
}
