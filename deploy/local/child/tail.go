package child

import (
	"bytes"
	"os"
)

// Tail returns the end of a log file, for an error's text; what it cannot read is left out.
func Tail(path string) string {
	const most = 3000
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	if len(content) <= most {
		return string(content)
	}
	content = content[len(content)-most:]
	return string(content[bytes.IndexByte(content, '\n')+1:])
}
