package migrate

// command reads who is told.
func (r *consulReader) command(f *file, c *command, v field) {
	switch v.key {
	case "command":
		c.args, c.shell = v.list(), v.text()
		if len(c.args) > 0 && !v.isOfTexts() {
			f.todo = append(f.todo, todo(v.place, "command: here must be a text or a list of texts"))
			c.args = nil
		}
		if len(c.args) == 1 {
			c.args, c.shell = nil, c.args[0]
		}
	case "command_timeout", "timeout":
		c.timeout, _ = r.duration(v)
	case "exec":
		before, off := *c, false
		for _, inner := range v.inside() {
			switch inner.key {
			case "command", "timeout":
				r.command(f, c, inner)
			case "enabled":
				off = inner.text() == "false"
			case "splay", "kill_signal", "kill_timeout", "reload_signal":
				r.say(inner.place, "exec."+inner.key+" is left out: a notice gets SIGTERM after its timeout, and SIGKILL after five seconds more")
			default:
				f.todo = append(f.todo, todo(inner.place, "exec."+inner.key+": a notice has the environment of rendered, without what is secret in it"))
			}
		}
		if off {
			*c = before
			r.say(v.place, "exec is not enabled, and left out")
		}
	}
}
