import { entered } from "../../account/entered";
import { mount } from "../../ui/mount";
import "./admin.css";
import "./office.css";
import { AdminPage } from "./AdminPage";

if (await entered()) mount(AdminPage);
