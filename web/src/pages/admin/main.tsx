import { entered } from "../../account/entered";
import { mount } from "../../ui/mount";
import "./admin.css";
import "./editor.css";
import "./office.css";
import "./duty.css";
import "./audit.css";
import { AdminPage } from "./AdminPage";

if (await entered()) mount(AdminPage, "admin");
