# Functions that make a root file system from files of this machine; read by the scripts that make stand-in images.

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$root/tmp" "$root/etc" "$root/bin" "$root/usr/bin"
chmod 755 "$root"
chmod 1777 "$root/tmp"
printf 'root:x:0:0::/:/bin/sh\npostgres:x:999:999::/tmp:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\npostgres:x:999:\n' >"$root/etc/group"

# add copies files or folders to where they are here, links followed, with the shared libraries that the programs among them need.
add() {
	for path in "$@"; do
		find -L "$path" -type f -exec cp --dereference --parents --target-directory "$root" {} +
		find -L "$path" -type f \( -perm -u+x -o -name '*.so*' \) | add_libraries
	done
}

add_libraries() {
	while read -r program; do
		ldd "$program" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do
			[ -e "$root$library" ] || { mkdir -p "$root$(dirname "$library")" && cp -L "$library" "$root$library"; }
		done
	done
}

# program makes an executable file of standard input.
program() {
	mkdir -p "$root$(dirname "$1")"
	cat >"$root$1"
	chmod 755 "$root$1"
}

# image makes an image of the root file system and nothing else, by Docker or what ENGINE says.
image() {
	name=$1
	shift
	tar -C "$root" -c . | ${ENGINE:-docker} import "$@" - "$name" >/dev/null
	echo "made $name"
}

add "$(command -v sh)"
[ -e "$root/bin/sh" ] || cp "$root$(command -v sh)" "$root/bin/sh"
