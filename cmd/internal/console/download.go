package console

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"allocation/cmd/internal/cli"
)

// Download is a file. It is at its path below /api/v1, and takes parameters as a page does.
type Download struct {
	Path string
	Open func(context.Context, *Request) (*File, error)
}

// File is what a download gives.
type File struct {
	Name  string
	Write func(context.Context, io.Writer) error
}

// downloadTime is how long a file may be written.
const downloadTime = 25 * time.Second

var errLong = fmt.Errorf("it took longer than %s", downloadTime)

// download writes a file. Where that fails in its middle, the connection ends, so that nobody takes
// the part for the whole.
func (c *Console) download(d *Download) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeoutCause(r.Context(), downloadTime, errLong)
		defer cancel()
		request := newRequest(r.URL.Query())
		file, err := d.Open(ctx, request)
		if err != nil {
			c.fail(w, r, cli.CauseOf(ctx, err))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", file.Name))
		if err := file.Write(ctx, w); err != nil {
			c.Logger.Warn("a file was not written to its end", "path", r.URL.Path, "error", cli.CauseOf(ctx, err))
			panic(http.ErrAbortHandler)
		}
	})
}
