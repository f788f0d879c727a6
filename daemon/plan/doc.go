// Package plan says what a backlog holds before anything of it is run: which
// captures, of what time, how deep they overlap, what will be refused, and what a
// run will cost. It reads the ends of files, and all of small ones; it changes
// nothing.
package plan
