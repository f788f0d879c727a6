// Package rules holds the conventions of this repository as tests: each says
// why its rule exists when it fails. There is nothing to import.
package rules
