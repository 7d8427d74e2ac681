package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/printable"
)

// A field is one attribute of a record, or one element of a list.
type field struct{ key, value string }

// add adds an attribute, or those of a group, as fields.
func add(fields []field, prefix string, a slog.Attr) []field {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "_"
		}
		for _, a := range v.Group() {
			fields = add(fields, prefix, a)
		}
		return fields
	}
	if a.Equal(slog.Attr{}) {
		return fields
	}
	list, ok := v.Any().([]string)
	if !ok {
		list = []string{v.String()}
	}
	for _, value := range list {
		fields = append(fields, field{prefix + a.Key, value})
	}
	return fields
}

var (
	// subjects are what a record is about. They stand before its message.
	subjects = []string{"service", "file", "notice"}
	// causes stand after it.
	causes = []string{"at", "err", "note"}
	// blocks stand below it, a line each.
	blocks = []string{"text", "hint"}
	// silent are said by others: the ref by the error, the paths by the records of the files.
	silent = []string{"ref", "version", "paths", MessageID}
)

// A Record is one of the log.
type Record struct {
	Time    time.Time
	Level   slog.Level
	Message string
	fields  []field
}

// Value gives an attribute, "" where the record has none of that name; what is a list has blanks
// between its elements.
func (r Record) Value(key string) string {
	var values []string
	for _, f := range r.fields {
		if f.key == key {
			values = append(values, f.value)
		}
	}
	return strings.Join(values, " ")
}

// Text gives what a person reads: "nginx: /etc/nginx/site.key: not up to date, will try again:
// secret prod/tls: access denied", then what else there is, then a line for each hint.
func (r Record) Text() string {
	var parts []string
	for _, key := range subjects {
		parts = append(parts, r.Value(key))
	}
	parts = append(parts, r.Message)
	for _, key := range causes {
		parts = append(parts, r.Value(key))
	}
	line := strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ": ")
	var rest []string
	for _, f := range r.fields {
		if !slices.Contains(slices.Concat(subjects, causes, blocks, silent), f.key) {
			rest = append(rest, f.key+" "+f.value)
		}
	}
	if len(rest) > 0 {
		line += " (" + strings.Join(rest, ", ") + ")"
	}
	for _, key := range blocks {
		for l := range strings.Lines(r.Value(key)) {
			line += "\n  " + strings.TrimRight(l, "\n")
		}
	}
	return line
}

// An entry is one of the journal's.
type entry struct {
	priority int
	message  string
	fields   []field
}

// identifier is what journalctl -t finds, and shows before each line.
const identifier = "rendered"

// encode gives the entry as the journal reads it.
func (e entry) encode() []byte {
	var b bytes.Buffer
	put(&b, "MESSAGE", e.message)
	put(&b, "PRIORITY", strconv.Itoa(e.priority))
	put(&b, "SYSLOG_IDENTIFIER", identifier)
	for _, f := range e.fields {
		put(&b, fieldName(f.key), f.value)
		if f.key == "notice" {
			put(&b, fieldName("dependent"), f.value)
		}
	}
	return b.Bytes()
}

// put adds a field. A value of several lines has its length before it. journalctl shows a text that
// directs a terminal as a blob, or has the terminal obey it, so that none is sent.
func put(b *bytes.Buffer, name, value string) {
	value = printable.Escape(value)
	if !strings.Contains(value, "\n") {
		fmt.Fprintf(b, "%s=%s\n", name, value)
		return
	}
	b.WriteString(name + "\n")
	b.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(value))))
	b.WriteString(value + "\n")
}

// maxName is how long a field's name may be.
const maxName = 64

// MessageID is the key of the attribute that tells what kind of entry it is (watch.MessageID).
const MessageID = "message_id"

// fieldName gives a field's name: RENDERED_SERVICE for service, and MESSAGE_ID, which is the
// journal's own. The journal knows capitals, digits
// and underscores only.
func fieldName(key string) string {
	if key == MessageID {
		return "MESSAGE_ID"
	}
	name := "RENDERED_" + strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c - 'a' + 'A'
		case c >= 'A' && c <= 'Z' || c >= '0' && c <= '9':
			return c
		}
		return '_'
	}, key)
	return name[:min(len(name), maxName)]
}
