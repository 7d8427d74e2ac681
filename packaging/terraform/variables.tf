variable "instance_names" {
  description = "The VMs, as they stand in the names of their queues: one queue for each."
  type        = set(string)

  validation {
    condition     = alltrue([for name in var.instance_names : can(regex("^[A-Za-z0-9_-]{1,59}$", name))])
    error_message = "An instance name has 1 to 59 letters, digits, hyphens and underscores."
  }
}

variable "name" {
  description = "The name of the topic, and the beginning of all other names: two of these modules in one account and Region need two."
  type        = string
  default     = "rendered"

  validation {
    # SQS allows 80 characters in a queue's name, which this and an instance's make with a hyphen between them.
    condition     = can(regex("^[A-Za-z0-9_-]{1,20}$", var.name))
    error_message = "The name has 1 to 20 letters, digits, hyphens and underscores."
  }
}

# A prefix keeps out notices that concern no file of yours. They would cost a request each and cause nothing. An empty prefix is the
# beginning of every name.

variable "secret_prefix" {
  description = "Names of secrets begin with this."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^[A-Za-z0-9/_+=.@!-]*$", var.secret_prefix))
    error_message = "Names of secrets have letters, digits and /_+=.@!- in them."
  }
}

variable "parameter_prefix" {
  description = "Names of parameters begin with this, including the leading slash of a path."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^[A-Za-z0-9/_.-]*$", var.parameter_prefix))
    error_message = "Names of parameters have letters, digits and /_.- in them."
  }
}
