// Package report turns a directory of logs into what people look at: one HTML
// page about a period, and where a connection's packets may be.
//
// Logs may be larger than memory and may be damaged: they are read line by line,
// what is kept is bounded (the limits stand in limits.go), and a line that cannot
// be read is counted. Every text of a log is hostile: the page holds it as
// escaped JSON, and its script makes text of it, never markup.
package report
