package config

// NoServices is said of a config that has none. That is how a package installs it, and no mistake.
const NoServices = "there are no services yet"

// IsEmpty tells whether a config without Faults has no services, not even in a part that cannot be
// read.
func (c *Config) IsEmpty() bool { return len(c.Services) == 0 && len(c.Parts) == 0 }

// FirstService says where to put the first service.
func (c *Config) FirstService() string {
	return "add one under services: in " + c.Path + ", or in a file of " + c.ConfD + " that ends in .yaml"
}
