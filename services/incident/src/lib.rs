//! Resolution: incidents, and the alerts that open them (ISO/IEC 20000-1:2005, 8.2).
