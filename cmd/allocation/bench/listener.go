package bench

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// listenerOf is the process that listens on a port of this machine; not ok where the host is
// another machine, or this user may not see it.
func listenerOf(ctx context.Context, host string, port int) (pid int, ok bool) {
	if !isHere(ctx, host) {
		return 0, false
	}
	var inodes []string
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		content, _ := os.ReadFile(table)
		inodes = append(inodes, listening(string(content), port)...)
	}
	pids := processes()
	slices.Sort(pids) // children may have their parent's socket, too
	for _, pid := range pids {
		if has(pid, inodes) {
			return pid, nameOf(pid) != "docker-proxy" // which only passes on
		}
	}
	return 0, false
}

// isHere reports whether a host is this machine.
func isHere(ctx context.Context, host string) bool {
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return false
	}
	own, _ := net.InterfaceAddrs()
	for _, address := range found {
		ip := net.ParseIP(address)
		mine := func(a net.Addr) bool { n, ok := a.(*net.IPNet); return ok && n.IP.Equal(ip) }
		if ip.IsLoopback() || slices.ContainsFunc(own, mine) {
			return true
		}
	}
	return false
}

// listening are the inodes of the sockets that listen on a port, from a table such as
// /proc/net/tcp.
func listening(table string, port int) (inodes []string) {
	const local, state, inode = 1, 3, 9
	const listens = "0A"
	wanted := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) > inode && fields[state] == listens && strings.HasSuffix(fields[local], wanted) {
			inodes = append(inodes, fields[inode])
		}
	}
	return inodes
}

// has reports whether a process has one of the sockets open.
func has(pid int, inodes []string) bool {
	links, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "fd", "*"))
	for _, link := range links {
		target, _ := os.Readlink(link)
		inode, socket := strings.CutPrefix(target, "socket:[")
		if socket && slices.Contains(inodes, strings.TrimSuffix(inode, "]")) {
			return true
		}
	}
	return false
}
