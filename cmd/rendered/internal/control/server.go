package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

const (
	statusPath  = "/v1/status"
	historyPath = "/v1/history"
	refreshPath = "/v1/refresh"
	waitPath    = "/v1/wait"
	// withoutLookups is a query of statusPath, and ofService a part of one, which has a name or the
	// path of a file. Daemons that do not know them give everything.
	withoutLookups = "lookups=no"
	ofService      = "of"
	alivePath      = "/v1/alive"
	pausePath      = "/v1/pause"
	resumePath     = "/v1/resume"
	reloadPath     = "/v1/reload"
	formerPath     = "/reload" // that of commands before there were versions
	// versionHeader names the version of the daemon in each answer.
	versionHeader = "Rendered-Version"
	// headers is how long a client may take to say what it wants.
	headers = 5 * time.Second
	// mostAsked bounds a question, in bytes.
	mostAsked = 1 << 20
)

// A Daemon is what answers. The texts of errors are what a person reads; they hold no value.
type Daemon struct {
	Version string
	// Status gives what is encoded as the answer; it may leave lookups and files out, which are
	// most of it.
	Status func(ctx context.Context, lookups bool) (any, error)
	// StatusOf gives the same of one service alone, by its name or the path of a file.
	StatusOf func(ctx context.Context, name string) (any, error)
	// History gives what is encoded as the answer.
	History func() any
	// Refresh looks at services, or at all where none is named, and, where it is to wait, gives
	// what came of it.
	Refresh func(ctx context.Context, services []string, wait bool) (any, error)
	// Wait returns when the services, or all, are current.
	Wait func(ctx context.Context, services []string) error
	// Pause has nobody work on services for a time, 0 meaning until they are resumed, and gives
	// what is encoded as the answer.
	Pause func(ctx context.Context, services []string, lasts time.Duration, why string) (any, error)
	// Resume ends that, for all where none is named, and gives what is encoded as the answer.
	Resume func(ctx context.Context, services []string) (any, error)
	// Reload reads the config again, and gives what came of it; where it is to wait, with what came
	// of the looks that follow.
	Reload func(ctx context.Context, wait bool) (any, error)
	// Reloaded reads the config again. The error says why the new one is not in force.
	Reloaded func(context.Context) error
}

// services is what a question is about.
type services struct {
	Services []string      `json:"services"`
	Wait     bool          `json:"wait"`          // for what comes of it
	For      time.Duration `json:"for,omitempty"` // nanoseconds
	Why      string        `json:"why,omitempty"`
}

// Serve answers until ctx ends, and closes the listener.
func (d Daemon) Serve(ctx context.Context, listener net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+formerPath, d.answer(func(ctx context.Context, _ services) (any, error) { return nil, d.Reloaded(ctx) }))
	mux.HandleFunc("POST "+reloadPath, d.answer(func(ctx context.Context, s services) (any, error) { return d.Reload(ctx, s.Wait) }))
	mux.HandleFunc("GET "+statusPath, d.status(ctx))
	mux.HandleFunc("GET "+historyPath, d.answer(func(context.Context, services) (any, error) { return d.History(), nil }))
	mux.HandleFunc("POST "+refreshPath, d.answer(func(ctx context.Context, s services) (any, error) { return d.Refresh(ctx, s.Services, s.Wait) }))
	mux.HandleFunc("POST "+waitPath, d.answer(func(ctx context.Context, s services) (any, error) { return nil, d.Wait(ctx, s.Services) }))
	mux.HandleFunc("GET "+alivePath, func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST "+pausePath, d.answer(func(ctx context.Context, s services) (any, error) { return d.Pause(ctx, s.Services, s.For, s.Why) }))
	mux.HandleFunc("POST "+resumePath, d.answer(func(ctx context.Context, s services) (any, error) { return d.Resume(ctx, s.Services) }))
	server := &http.Server{
		ConnContext: withAsker,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(versionHeader, d.Version)
			mux.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: headers, ErrorLog: log.New(io.Discard, "", 0),
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// status makes a handler that gives how the daemon stands. Those who ask at the same time share
// what is made of it, until ctx ends.
func (d Daemon) status(ctx context.Context) http.HandlerFunc {
	answers := make(map[bool]*shared)
	for _, lookups := range []bool{true, false} {
		answers[lookups] = newShared(func(ctx context.Context) ([]byte, error) {
			st, err := d.Status(ctx, lookups)
			if err != nil {
				return nil, err
			}
			return json.Marshal(st)
		})
		go answers[lookups].run(ctx)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if name := r.URL.Query().Get(ofService); name != "" {
			d.answer(func(ctx context.Context, _ services) (any, error) { return d.StatusOf(ctx, name) })(w, r)
			return
		}
		text, err := answers[r.URL.RawQuery != withoutLookups].get(r.Context())
		if err != nil {
			refuse(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text)
	}
}

// refuse says why the daemon does not do what it is asked for.
func refuse(w http.ResponseWriter, err error) {
	w.WriteHeader(http.StatusConflict)
	_, _ = io.WriteString(w, err.Error())
}

// answer makes a handler of what answers a question: with JSON, with nothing, or with why not.
func (d Daemon) answer(to func(context.Context, services) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var asked services
		body := http.MaxBytesReader(w, r.Body, mostAsked)
		if err := json.NewDecoder(body).Decode(&asked); err != nil && !errors.Is(err, io.EOF) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		answer, err := to(r.Context(), asked)
		switch {
		case err != nil:
			refuse(w, err)
		case answer != nil:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(answer)
		}
	}
}
