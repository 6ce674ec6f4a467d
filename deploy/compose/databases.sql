-- A database for each service: nobody reads another's.
CREATE DATABASE steward_gateway;
CREATE DATABASE steward_incident;
CREATE DATABASE steward_sla;
CREATE DATABASE steward_change;
CREATE DATABASE steward_release;
CREATE DATABASE steward_supplier;
CREATE DATABASE steward_governance;
