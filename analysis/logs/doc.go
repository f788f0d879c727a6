// Package logs holds the log streams: their records, their schemas as tables, the
// append-style encoders and the files they go to. It imports nothing of this module.
package logs
