package command

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/pflag"
)

// LogOptions say how a part of a cluster logs.
type LogOptions struct {
	Format logFormat
	Level  slog.Level
}

func (o *LogOptions) addFlags(flags *pflag.FlagSet) {
	o.Format = formatText
	flags.Var(&o.Format, "logging-format", "How to log: text or json.")
	flags.TextVar(&o.Level, "log-level", slog.LevelInfo, "What to log at least: debug (every request), info, warn or error.")
}

// Handler writes what is logged.
func (o *LogOptions) Handler(w io.Writer) slog.Handler {
	options := &slog.HandlerOptions{Level: o.Level}
	if o.Format == formatJSON {
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}

// logFormat is a pflag.Value.
type logFormat string

const (
	formatText logFormat = "text"
	formatJSON logFormat = "json"
)

func (f *logFormat) String() string { return string(*f) }
func (f *logFormat) Type() string   { return "string" }

func (f *logFormat) Set(s string) error {
	switch logFormat(s) {
	case formatText, formatJSON:
		*f = logFormat(s)
		return nil
	}
	return fmt.Errorf("neither %s nor %s", formatText, formatJSON)
}
