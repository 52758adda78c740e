package console

import (
	"embed"
	"io/fs"
)

//go:embed static/*.js static/*.css static/*.svg
var staticFiles embed.FS

// Static has the files that pages load: style sheet, icon and scripts.
func Static() fs.FS {
	folder, _ := fs.Sub(staticFiles, "static") // it is embedded
	return folder
}
