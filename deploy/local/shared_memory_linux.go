package local

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// removeSharedMemory removes the segment that a killed server left in the kernel, where it would
// stay until the folder's next start: its number stands in postmaster.pid. All processes of the
// server must have ended.
func removeSharedMemory(data string) {
	const keyAndID = 6 // the seventh line
	content, _ := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	lines := strings.Split(string(content), "\n")
	if len(lines) <= keyAndID {
		return
	}
	fields := strings.Fields(lines[keyAndID])
	if len(fields) != 2 {
		return
	}
	if id, err := strconv.Atoi(fields[1]); err == nil {
		_, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	}
}
