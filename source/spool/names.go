package spool

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
)

// nameMax is the longest name of a file, in bytes (NAME_MAX).
const nameMax = 255

// reasonSuffix is what the name of the file that says why another one failed
// ends in.
const reasonSuffix = ".reason"

// ignored says whether a name is that of a file still being written, or of
// nobody's concern: those are left alone.
func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".tmp") ||
		strings.HasSuffix(name, ".part") || strings.HasSuffix(name, ".filepart")
}

// withSuffix appends suffix to the last element of path. Where that gets too
// long for a name, its end gives way to a hash of all of it.
func withSuffix(path, suffix string) string {
	dir, name := filepath.Split(path)
	if len(name)+len(suffix) <= nameMax {
		return path + suffix
	}
	hash := fmt.Sprintf("~%016x", xxhash.Sum64String(name))
	cut := nameMax - len(suffix) - len(hash)
	for n := 0; n < utf8.UTFMax && !utf8.RuneStart(name[cut]); n++ {
		cut-- // not inside a character
	}
	return dir + name[:cut] + hash + suffix
}

// beside is the relative directory source with another first element, so that
// it and all below it lie elsewhere.
func beside(source, suffix string) string {
	first, rest, _ := strings.Cut(source, "/")
	return filepath.Join(withSuffix(first, suffix), rest)
}

// within says whether path is dir or lies below it. Both are clean.
func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
