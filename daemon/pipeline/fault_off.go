//go:build !faults

package pipeline

// fault is where a test kills the process: see contrib/killtest.
func fault(string) {}
