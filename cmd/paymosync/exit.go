package main

import (
	"context"
	"errors"
)

// The exit codes of every command.
const (
	exitOK          = 0   // every table is ok, paused or unavailable
	exitUnwell      = 1   // something is degraded, failing or different
	exitConfig      = 2   // configuration or usage
	exitInterrupted = 130 // ended by a signal
)

// exitCode maps a command's error to its exit code.
func exitCode(err error) int {
	var config *ConfigError
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &config), errors.As(err, &usage):
		return exitConfig
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	default:
		return exitUnwell
	}
}
