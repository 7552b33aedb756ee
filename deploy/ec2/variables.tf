variable "region" {
  type        = string
  default     = "eu-central-1"
  description = "Region of everything that is created."
}

variable "name" {
  type        = string
  default     = "imagemill"
  description = "Name of the instance, and start of all other names; two services in one region need two names."
}

variable "instance_type" {
  type        = string
  default     = "g6.xlarge"
  description = "Type of the instance: one with an NVIDIA GPU for the profile gpu, and any x86-64 type for cpu."
}

variable "profile" {
  type        = string
  default     = "gpu"
  description = "Profile of docker-compose.yml: gpu, one for several GPUs, or cpu where the account has no quota for GPUs."

  validation {
    condition     = contains(["gpu", "2-gpus", "4-gpus", "8-gpus", "cpu"], var.profile)
    error_message = "The profile must be gpu, 2-gpus, 4-gpus, 8-gpus or cpu."
  }
}

variable "ami_parameter" {
  type        = string
  default     = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id"
  description = "SSM parameter that holds the AMI: by default Amazon's image with driver, Docker and NVIDIA toolkit."
}

variable "subnet_id" {
  type        = string
  default     = null
  description = "Subnet with a way to the internet; by default one of the default VPC whose zone has the instance type."
}

variable "root_gb" {
  type        = number
  default     = 100
  description = "Size of the disk with the system and the container images, in GB; it is renewed with the instance."
}

variable "data_gb" {
  type        = number
  default     = 100
  description = "Size of the disk with images, queue, checkpoints and secrets, in GB; it survives the instance."
}

variable "store" {
  type        = string
  default     = "disk"
  description = "Where jobs and images are kept: disk (the surviving one) or bucket (workers of other hosts can join)."

  validation {
    condition     = contains(["disk", "bucket"], var.store)
    error_message = "The store must be disk or bucket."
  }
}

variable "is_spot" {
  type        = bool
  default     = false
  description = "Whether to use spare capacity, which costs less, and which Amazon stops and starts again as it likes."
}

variable "domain" {
  type        = string
  default     = ""
  description = "Name of the service, like mill.example.org: Caddy gets its certificate; without a name, only the tunnel works."
}

variable "https_from" {
  type        = list(string)
  default     = []
  description = "Address ranges that may connect to port 443, like 203.0.113.0/24; a certificate needs 0.0.0.0/0. By default none."
}

variable "settings" {
  type        = map(string)
  default     = {}
  description = "More lines of the file .env beside docker-compose.yml, like { IMAGEMILL_TTL_HOURS = \"48\" }."

  validation {
    condition     = alltrue([for name in keys(var.settings) : can(regex("^(IMAGEMILL|REDIS)_[A-Z0-9_]+$", name))])
    error_message = "Names of settings begin with IMAGEMILL_ or REDIS_."
  }
}
