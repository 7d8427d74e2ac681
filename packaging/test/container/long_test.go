package container_test

import _ "github.com/rendered/rendered/internal/long" // its flag
